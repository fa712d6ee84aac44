// Shows what the server sends: a snapshot of every row first, then what changed. Text goes into the page as text only.
"use strict";

const CHANGED_MS = 3000;
const LEAVING_MS = 1500;
const SILENCE_MS = 12000; // the server says that it is there every five seconds
const RETRY_MS = 2000;

const collections = new Map(); // name → Map of key → row
const drawn = new Map(); // name → Map of key → element
let skew = 0; // of this browser's clock, in ms
let source = null;
let heardAt = Date.now();
let lostAt = null;

const now = () => Date.now() - skew;
const rows = (name) => collections.get(name) ?? new Map();
const all = (name) => [...rows(name).values()];

// --- small makers of text and elements

function make(tag, classes = "", text = "") {
  const element = document.createElement(tag);
  if (classes) element.className = classes;
  if (text !== "") element.textContent = text;
  return element;
}

const cell = (text, classes = "", title = "") => ({ text: String(text ?? "–"), classes, title });
const state = (word, level) => ({ text: word, state: level });
const time = (at) => new Date(at).toLocaleTimeString("en-GB");
const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
const words = (name) => name.replaceAll("_", " ");

function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h`;
}

const LEVELS = {
  "in use": "good", serving: "good", silent: "bad", removed: "idle", stale: "warning", "not ready": "warning", "not reached": "bad",
};

// --- what each table shows: cells of a row, and the order of rows

const byKey = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

const TABLES = {
  calls: {
    order: (a, b) => (a.stage === "ended") - (b.stage === "ended") || b.since_sorted - a.since_sorted || byKey(b.id, a.id),
    classes: (row) => (row.stage === "ended" ? "over" : ""),
    cells: (row) => [
      { text: (row.sid || row.uuid).slice(0, 8) || "new", classes: "mono", second: direction(row), title: titleOf(row) },
      { path: row },
      cell(row.verbs.join(", ") || "–", "optional"),
      { text: "", classes: "number", clock: row.stage === "ended" ? null : row.since, fixed: duration(row.since - row.began) },
      { ...cell(cause(row), "optional", row.cause), second: row.status ? `SIP ${row.status}` : "" },
    ],
  },
  targets: {
    order: (a, b) => (a.state === "removed") - (b.state === "removed") || byKey(a.uri, b.uri),
    classes: (row) => (row.state === "removed" ? "over" : ""),
    cells: (row) => [
      cell(row.uri, "mono", row.uri), cell(row.group, "number optional"), cell(row.resource, "optional"),
      cell(row.region, "optional"), cell(row.task || "–", "mono optional"),
      cell(row.calls === null ? "–" : row.limit ? `${row.calls} / ${row.limit}` : row.calls, "number"),
      state(row.state, LEVELS[row.state]),
    ],
  },
  tables: {
    order: (a, b) => byKey(a.table, b.table),
    cells: (row) => [cell(words(row.table)), cell(row.rows, "number"), cell(row.head, "number")],
  },
  permissions: {
    order: (a, b) => byKey(a.source, b.source),
    cells: (row) => [cell(row.source, "mono", row.source), cell(row.group, "number")],
  },
  registrations: {
    order: (a, b) => byKey(a.username, b.username) || byKey(a.address, b.address),
    cells: (row) => [
      cell(row.username, "", row.username), cell(row.address, "mono", row.address), cell(row.gateway, "optional"),
      cell(row.expires === null ? "no end" : time(row.expires), "number"),
    ],
  },
  media_proxies: {
    order: (a, b) => byKey(a.socket, b.socket),
    classes: (row) => (row.state === "removed" ? "over" : ""),
    cells: (row) => [cell(row.socket, "mono", row.socket), cell(row.set_id, "number"), state(row.state, LEVELS[row.state])],
  },
  domains: {
    order: (a, b) => byKey(a.domain, b.domain),
    classes: (row) => (row.state === "removed" ? "over" : ""),
    cells: (row) => [
      cell(row.domain, "mono", row.domain), cell(row.task || "permanent", row.task ? "mono" : ""), state(row.state, LEVELS[row.state]),
    ],
  },
  queues: {
    cells: (row) => [
      cell(row.name), cell(row.waiting, row.waiting && isDead(row) ? "number bad" : "number"), cell(row.in_flight, "number"),
    ],
  },
  capacities: {
    order: (a, b) => byKey(a.region, b.region),
    cells: (row) => [cell(row.region), cell(row.capacity, "number")],
  },
  events: {
    order: (a, b) => b.at - a.at,
    cells: (row) => [
      cell(time(row.at), "mono"), cell(row.source, "optional", row.source),
      { ...cell(row.what, row.is_warning ? "warning" : "", `${row.what} ${row.subject}`), second: row.subject, from: row.source },
    ],
  },
  problems: {
    order: (a, b) => b.at - a.at,
    cells: (row) => [
      cell(time(row.at), "mono"), cell(row.process, "optional", row.process),
      {
        ...cell(row.message || `${row.level.toLowerCase()}${row.place ? ` in ${row.place}` : ""}`, "bad", row.place),
        second: [row.subject, row.log].filter(Boolean).join(" · "),
        from: row.process,
      },
      cell(row.count, "number"),
    ],
  },
};

const cause = (row) => (row.cause ? row.cause.toLowerCase().replaceAll("_", " ") : row.stage === "ended" ? "ended" : "");

const isDead = (queue) => queue.name !== "jobs";

function direction(row) {
  if (row.parent) return `leg of ${row.parent.slice(0, 8)}`;
  return { inbound: "in", outbound: "out" }[row.direction] ?? "";
}

const titleOf = (row) => [row.sid && `call ${row.sid}`, row.uuid && `channel ${row.uuid}`].filter(Boolean).join(", ");

// --- drawing tables

function fill(td, value) {
  const classes = value.classes ?? "";
  if (td.className !== classes) td.className = classes;
  if (value.path) return fillPath(td, value.path);
  if ("clock" in value) {
    td.dataset.since = value.clock ?? "";
    setText(td, value.clock === null ? value.fixed : duration(now() - value.clock));
    return;
  }
  if (value.title) td.title = value.title;
  if (value.state !== undefined) {
    const span = td.firstElementChild ?? td.appendChild(make("span", "state"));
    span.dataset.level = value.state;
    return setText(span, value.text);
  }
  if (value.second === undefined) return setText(td, value.text);
  const [first, second] = td.children.length ? td.children : [td.appendChild(make("span")), td.appendChild(make("span", "second"))];
  setText(first, value.text);
  if (value.from && second.children.length === 0) second.append(make("span", "narrow-only"), make("span"));
  if (value.from) setText(second.firstElementChild, value.second ? `${value.from} · ` : value.from);
  setText(value.from ? second.lastElementChild : second, value.second || "\u00a0");
}

function fillPath(td, row) {
  const list = td.firstElementChild ?? td.appendChild(make("ol", "path"));
  const place = { gateway: 0, switch: 1, verb: 2, ended: 3 }[row.stage];
  const names = [row.gateway || "–", row.switch || "–", row.verb || "–"];
  names.forEach((name, index) => {
    const item = list.children[index] ?? list.appendChild(make("li"));
    setText(item, name);
    item.className = index === place ? "now" : name !== "–" ? "passed" : "";
    if (index === place) item.setAttribute("aria-current", "step");
    else item.removeAttribute("aria-current");
  });
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function draw(name, changed) {
  const table = TABLES[name];
  const body = document.querySelector(`[data-rows="${name}"]`);
  const elements = drawn.get(name) ?? drawn.set(name, new Map()).get(name);
  const wanted = [...rows(name)].map(([key, row]) => ({ key, row: { ...row, since_sorted: row.began ?? 0 } }));
  if (table.order) wanted.sort((a, b) => table.order(a.row, b.row));
  for (const [key, tr] of elements) {
    if (rows(name).has(key)) continue;
    elements.delete(key);
    if (changed) leave(tr);
    else tr.remove();
  }
  for (const { key, row } of wanted) {
    let tr = elements.get(key);
    if (!tr) {
      tr = make("tr");
      tr.dataset.key = key;
      elements.set(key, tr);
    }
    const classes = table.classes?.(row) ?? "";
    tr.classList.toggle("over", classes === "over");
    table.cells(row).forEach((value, index) => fill(tr.children[index] ?? tr.appendChild(make("td")), value));
    if (changed?.has(key)) highlight(tr);
  }
  place(body, wanted.map(({ key }) => elements.get(key)));
  let empty = body.querySelector(".empty");
  if (wanted.length) empty?.remove();
  else if (!empty) {
    empty = make("tr", "empty");
    const td = empty.appendChild(make("td", "", body.dataset.empty));
    td.colSpan = body.parentElement.tHead.rows[0].cells.length;
    body.append(empty);
  }
}

function place(body, wanted) {
  // Only what is not where it belongs is moved: a row that is moved loses focus and selection.
  let previous = null;
  for (const tr of wanted) {
    let next = previous ? previous.nextElementSibling : body.firstElementChild;
    while (next?.classList.contains("is-leaving")) next = next.nextElementSibling;
    if (next !== tr) body.insertBefore(tr, next);
    previous = tr;
  }
}

function highlight(element) {
  clearTimeout(element.changedTimer);
  element.classList.remove("is-changed");
  void element.getBoundingClientRect(); // so that the animation begins anew
  element.classList.add("is-changed");
  element.changedTimer = setTimeout(() => element.classList.remove("is-changed"), CHANGED_MS);
}

function leave(tr) {
  tr.classList.remove("is-changed");
  tr.classList.add("is-leaving");
  setTimeout(() => tr.remove(), LEAVING_MS);
}

// --- gateways

function drawGateways(changed) {
  const list = document.querySelector('[data-cards="gateways"]');
  const heads = new Map(all("tables").map((table) => [table.table, table.head]));
  const cards = [...rows("gateways")].map(([key, row]) => {
    const card = make("li");
    card.dataset.key = key;
    const head = card.appendChild(make("div", "head"));
    head.append(make("strong", "", row.name));
    const word = make("span", "state", row.age ? `${row.state}, ${row.age} s old` : row.state);
    word.dataset.level = LEVELS[row.state];
    head.append(word);
    const facts = card.appendChild(make("dl"));
    const add = (term, value) => facts.append(make("dt", "", term), make("dd", "", value));
    if (row.lag !== null) add("Journal lag", plural(row.lag, "change"));
    for (const { table, position } of row.positions) {
      const end = heads.get(table);
      add(words(table), end === null || end === undefined || end === position ? `at ${position}` : `at ${position} of ${end}`);
    }
    if (row.calls !== null) add("Calls", String(row.calls));
    if (row.refused !== null) add("Refused", String(row.refused));
    if (row.contacts_waiting !== null) add("Contacts waiting", String(row.contacts_waiting));
    if (row.troubles.length) card.append(make("p", "troubles", row.troubles.join("; ")));
    if (changed?.has(key)) highlight(card);
    return card;
  });
  list.replaceChildren(...(cards.length ? cards : [make("li", "empty", list.dataset.empty)]));
}

// --- figures and the diagram

function glance() {
  const live = all("calls").filter((call) => call.stage !== "ended");
  const targets = all("targets").filter((target) => target.state === "in use");
  const gateways = all("gateways");
  const lags = gateways.map((gateway) => gateway.lag).filter((lag) => lag !== null);
  const dead = all("queues").filter(isDead).reduce((sum, queue) => sum + queue.waiting, 0);
  const troubled = all("problems").length;
  figure("calls", live.length);
  figure("targets", targets.length);
  figure("registrations", all("registrations").length);
  figure("lag", lags.length ? Math.max(...lags) : "–", Math.max(0, ...lags) > 0 ? "warning" : "");
  figure("dead-letters", all("queues").length ? dead : "–", dead ? "bad" : "");
  figure("problems", troubled, troubled ? "bad" : "");
  for (const element of document.querySelectorAll("[data-count]")) setText(element, String(rows(element.dataset.count).size || ""));
  drawNodes(live, targets, dead);
}

function figure(name, value, level = "") {
  const element = document.querySelector(`[data-figure="${name}"]`);
  setText(element, String(value));
  element.dataset.level = level;
}

function drawNodes(live, targets, dead) {
  const gateway = (kind) => all("gateways").filter((each) => each.kind === kind);
  const kindOf = new Map(all("gateways").map((each) => [each.name, each.kind]));
  const through = (kind) => live.filter((call) => kindOf.get(call.gateway) === kind);
  const onSwitch = live.filter((call) => call.stage !== "gateway");
  const verbs = live.filter((call) => call.stage === "verb");
  const sessions = all("switches").map((each) => each.sessions).filter((count) => count !== null);
  const table = (name) => all("tables").find((each) => each.table === name);
  const queue = (name) => all("queues").find((each) => each.name === name);
  const proxies = all("media_proxies").filter((proxy) => proxy.state !== "removed");
  const journaled = all("tables").filter((each) => each.head !== null);
  const lag = all("gateways").map((each) => each.lag ?? 0);
  const events = all("events");
  const from = (name) => events.filter((event) => event.source === name);
  const counts = new Map();
  for (const call of verbs) counts.set(call.verb, (counts.get(call.verb) ?? 0) + 1);
  const busy = [...counts].map(([verb, count]) => `${count} ${verb}`).join(", ");

  node("carrier", `${plural(all("permissions").length, "permission")}`, "");
  node("client", `${all("registrations").length} registered`, "");
  for (const kind of ["public", "client"]) {
    const [first] = gateway(kind);
    const text = first ? `${first.state}${first.calls === null ? "" : `, ${plural(first.calls, "call")}`}` : "not running";
    node(`${kind}-gateway`, text, first ? (first.troubles.length && LEVELS[first.state] === "good" ? "warning" : LEVELS[first.state]) : "");
  }
  node("media-proxy", `${proxies.length} known`, proxies.length ? (proxies.some((each) => each.state === "silent") ? "warning" : "good") : "");
  node("freeswitch", sessions.length ? plural(sessions.reduce((a, b) => a + b, 0), "session") : plural(targets.length, "target"), targets.length ? "good" : "");
  node("switch-app", busy.length > 20 ? `${verbs.length} in verbs` : busy || plural(onSwitch.length, "call"), targets.length ? "good" : "");
  node("event-logger", "call data records", "");
  node("customer", "documents, audio", "");
  node("platform", all("capacities").length ? `told capacity ${all("capacities").reduce((sum, each) => sum + each.capacity, 0)}` : "told nothing yet", "");
  node("bucket", "WAV and MP3", "");
  node("schedulers", lag.length ? `lag ${Math.max(...lag)}` : "not running", lag.length ? (Math.max(...lag) ? "warning" : "good") : "");
  node("tables", `${plural(journaled.reduce((sum, each) => sum + each.rows, 0), "row")}`, journaled.length ? "good" : "");
  node("registrations", plural(table("registrations")?.rows ?? 0, "contact"), table("registrations") ? "good" : "");
  node("services", from("services function").length ? plural(from("services function").length, "event") : "idle", problemsOf("services function"));
  node("task-events", `${events.filter((event) => event.what === "task state handled").length} seen`, "");
  node("jobs", queue("jobs") ? `${queue("jobs").waiting} waiting` : "–", queue("jobs") ? "good" : "");
  node("mpeg", plural(events.filter((event) => event.what === "converted").length, "conversion"), problemsOf("s3_mpeg function"));
  node("dead-letters", all("queues").length ? String(dead) : "–", dead ? "bad" : all("queues").length ? "good" : "");

  const atPublic = through("public").length > 0;
  const atClient = through("client").length > 0;
  edge("carrier-public", atPublic);
  edge("public-switch", atPublic);
  edge("client-gateway", atClient);
  edge("gateway-switch", atClient);
  edge("client-proxy", atClient && proxies.length > 0);
  edge("proxy-switch", atClient && proxies.length > 0);
  edge("switch-app", onSwitch.length > 0);
  edge("app-customer", verbs.length > 0);
  edge("app-platform", onSwitch.length > 0);
}

const problemsOf = (process) => (all("problems").some((problem) => problem.process === process) ? "warning" : "good");

function node(name, text, level) {
  for (const element of document.querySelectorAll(`[data-node="${name}"]`)) {
    const figure = element.querySelector(".figure");
    if (figure.textContent === text && element.dataset.level === level) continue;
    const isFirst = element.dataset.level === undefined;
    figure.textContent = text;
    element.dataset.level = level;
    if (!isFirst) highlight(element);
  }
}

function edge(name, isActive) {
  for (const element of document.querySelectorAll(`[data-edge="${name}"]`)) element.classList.toggle("is-active", isActive);
}

// --- what is said to those who do not see it

const SAID = {
  targets: "load-balancer target", permissions: "permission", registrations: "registration", media_proxies: "media proxy",
  domains: "domain", problems: "error", unread: "unreadable source",
};
let unsaid = new Map();

function note(name, added, removed) {
  if (!SAID[name] || added + removed === 0) return;
  const before = unsaid.get(name) ?? [0, 0];
  unsaid.set(name, [before[0] + added, before[1] + removed]);
}

function say() {
  if (!unsaid.size) return;
  const parts = [...unsaid].map(([name, [added, removed]]) =>
    [added && `${added} new or changed`, removed && `${removed} gone`].filter(Boolean).join(", ") + `: ${SAID[name]}`);
  unsaid = new Map();
  document.getElementById("announcements").textContent = parts.join(". ");
}

// --- what comes

function show(changes) {
  for (const name of Object.keys(TABLES)) if (!changes || changes.has(name)) draw(name, changes?.get(name));
  if (!changes || changes.has("gateways") || changes.has("tables")) drawGateways(changes?.get("gateways"));
  const unread = all("unread").map((each) => `${each.source} (${each.error})`).join(", ");
  setText(document.getElementById("unread"), unread && `Cannot be read now: ${unread}.`);
  glance();
}

function takeSnapshot(message) {
  collections.clear();
  for (const [name, listed] of Object.entries(message.rows)) collections.set(name, new Map(Object.entries(listed)));
  show(null);
}

// Counts change with every call; a row is highlighted for what is not a count.
const COUNTS = {
  targets: ["calls", "limit"], gateways: ["calls", "refused", "lag", "positions", "contacts_waiting", "age"],
};

function isNews(name, before, after) {
  if (!before) return true;
  const counts = COUNTS[name] ?? [];
  return Object.keys(after).some((field) => !counts.includes(field) && String(before[field]) !== String(after[field]));
}

function takePatch(message) {
  const changes = new Map();
  for (const [name, listed] of Object.entries(message.put)) {
    const known = collections.get(name) ?? collections.set(name, new Map()).get(name);
    const news = Object.entries(listed).filter(([key, row]) => isNews(name, known.get(key), row)).map(([key]) => key);
    for (const [key, row] of Object.entries(listed)) known.set(key, row);
    changes.set(name, new Set(news));
    note(name, news.length, 0);
  }
  for (const [name, keys] of Object.entries(message.remove)) {
    for (const key of keys) collections.get(name)?.delete(key);
    if (!changes.has(name)) changes.set(name, new Set());
    note(name, 0, keys.length);
  }
  show(changes);
}

function hear(take) {
  return (event) => {
    const message = JSON.parse(event.data);
    skew = Date.now() - message.now;
    heardAt = Date.now();
    connection("connected", "connected");
    take(message);
  };
}

function connection(name, text) {
  const element = document.getElementById("connection");
  element.dataset.state = name;
  setText(element, text);
  document.body.classList.toggle("is-stale", name === "lost");
  if (name === "connected") lostAt = null;
}

function lose() {
  lostAt ??= Date.now();
  connection("lost", `no connection since ${time(lostAt)}, trying again`);
}

function open() {
  source?.close();
  heardAt = Date.now();
  source = new EventSource("/events");
  source.addEventListener("snapshot", hear(takeSnapshot));
  source.addEventListener("patch", hear(takePatch));
  source.addEventListener("beat", hear(() => {}));
  source.addEventListener("error", () => {
    lose();
    // Refused with a status, it is closed for good; otherwise the browser tries again by itself.
    if (source.readyState === EventSource.CLOSED) setTimeout(open, RETRY_MS);
  });
}

setInterval(() => {
  for (const td of document.querySelectorAll("[data-since]")) {
    if (td.dataset.since) setText(td, duration(now() - Number(td.dataset.since)));
  }
  if (Date.now() - heardAt > SILENCE_MS) {
    lose();
    open();
  }
}, 1000);
setInterval(say, 2000);
open();
