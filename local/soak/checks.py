"""What has to be true when the calls are over; what is not, is a finding."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from local.errors import ServerFailed
from local.soak import views
from local.soak.callers import Callers
from local.soak.parties import Parties
from local.soak.truth import Rows, Truth, differences
from local.system import LocalSystem
from local.voice.system import VoiceSystem
from routing import Table

T = TypeVar("T")
_SETTLED_SECONDS = 45.0
_LOOK_SECONDS = 0.3
_EVENTS = ["ringing", "answered", "completed"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not balance.

    Attributes:
        what: it is.
        where: to look: logs of the run.

    """

    what: str
    where: str


class Checks:
    """The checks.

    Args:
        system: the control plane.
        voice: what carried the calls.
        truth: what should be there.
        parties: who called.

    Attributes:
        lines: what was found well, for the ledger.
        findings: what was not.

    """

    def __init__(self, system: LocalSystem, voice: VoiceSystem, truth: Truth, parties: Parties) -> None:
        self._system, self._voice, self._truth, self._parties = system, voice, truth, parties
        self.lines: list[tuple[str, str]] = []
        self.findings: list[Finding] = []

    # --- tables

    def tables(self) -> None:
        """Compare the tables with the truth, and the gateways with the tables."""
        system, public, client = self._system, self._voice.public_gateway, self._voice.client_gateway
        tables = (
            Table.LOAD_BALANCER_TARGETS,
            Table.MEDIA_PROXIES,
            Table.DOMAINS,
            Table.ADDRESSES,
            Table.SUBSCRIBERS,
        )
        for table in tables:
            self._equal(
                f"table {table.value}",
                "emulator.log, and the functions' logs at the end of it",
                partial(self._truth.rows, table),
                partial(views.rows_of, system, table),
            )
        seen: list[tuple[Any, Table, Callable[[Any], Rows]]] = [
            (public, Table.LOAD_BALANCER_TARGETS, views.targets_of),
            (public, Table.ADDRESSES, views.addresses_of),
            (client, Table.LOAD_BALANCER_TARGETS, views.targets_of),
            (client, Table.DOMAINS, views.domains_of),
            (client, Table.SUBSCRIBERS, views.subscribers_of),
        ]
        for gateway, table, read in seen:
            self._equal(
                f"{gateway.kind} gateway: {table.value}",
                f"{gateway.kind}-scheduler.log, {gateway.kind}-gateway.log",
                partial(views.rows_of, system, table),
                partial(read, gateway),
            )
        # Of the proxies in the table, those that answer: the others are entries at ECS and nothing else.
        proxy = {f"udp:{self._voice.media_proxy}:2223": ""}
        self._equal(
            "client gateway: media proxies that answer",
            "client-scheduler.log",
            lambda: proxy,
            lambda: views.media_proxies_of(client),
        )

    def registrations(self) -> None:
        """Compare the contacts of the client gateway with the clients and with the registrations table."""
        system, gateway = self._system, self._voice.client_gateway
        wanted = dict.fromkeys(self._parties.clients, "1 contact")

        def at_gateway() -> Rows:
            return {name: f"{len(gateway.contacts(name))} contact" for name in self._parties.clients}

        def in_table() -> Rows:
            now = time.time()
            items = system.dynamodb.scan(TableName=system.table_names[Table.REGISTRATIONS])["Items"]
            count = Counter(item["username"]["S"] for item in items if float(item["expires"]["N"]) > now)
            return {name: f"{number} contact" for name, number in count.items()}

        self._equal("client gateway: contacts", "client-gateway.log", lambda: wanted, at_gateway)
        self._equal("table registrations", "client-scheduler.log", lambda: wanted, in_table)

    def _equal(self, what: str, where: str, wanted: Callable[[], Rows], found: Callable[[], Rows]) -> None:
        """Wait until both are the same, within a bound."""

        def look() -> tuple[int, list[str]]:
            right, seen = wanted(), found()
            return len(seen), differences(right, seen)

        number, left = _settle(look, lambda seen: not seen[1])
        if left:
            self._find(f"{what}: {'; '.join(left)}", where)
        else:
            self.lines.append((what, f"{number}, as they should be"))

    # --- calls

    def inbound_calls(self) -> dict[str, tuple[str, str]]:
        """Return sid and switch of the calls that came to switches, by the number that they were placed to."""
        calls, told = self._voice.platform.told("calls"), self._voice.platform.told("inbound_calls")
        sids = {call["external_id"]: sid for sid, call in calls.items()}
        return {each["to"]: (sids[each["external_id"]], each["host"]) for each in told}

    def completed(self) -> set[str]:
        """Return the sids of calls of which the platform was told that they are over."""
        calls = self._voice.platform.told("calls")
        return {sid for sid, call in calls.items() if "completed" in call["events"]}

    def calls(self, callers: Callers, touched: set[str]) -> None:
        """Compare what the platform was told of all calls with what was placed.

        Args:
            callers: who placed them.
            touched: sids of calls that were under way at a switch when one of its processes was killed; of those, all
                that has to be is the data record.

        """
        well = {call.sid for call in callers.calls if call.sid and not call.problem and not call.refused} - touched
        self._records(callers, well)
        self._events(well)
        refused = self._voice.platform.told("refused")
        for request in refused[:5]:
            self._find(f"the platform refused {request}", "the app's log")
        if not refused:
            self.lines.append(("platform", "it refused no request"))
        self._keys({sid: keys for sid, keys in callers.keys.items() if sid in well})

    def _records(self, callers: Callers, well: set[str]) -> None:
        """Every call that the platform knows has one data record; one that it asked for in vain needs none."""
        told = self._voice.platform.told
        unmade = sum(1 for call in callers.calls if " is called" in call.kind and not call.sid)

        def look() -> tuple[Any, Any, list[str]]:
            calls, records = told("calls"), _by_sid(told("call_data_records"))
            without = [sid for sid in calls if sid not in records]
            children = {each["sid"] for each in told("outbound_calls")}
            never_made = [sid for sid in without if calls[sid]["external_id"] is None and sid not in children]
            asked_in_vain = never_made[:unmade]
            return calls, records, [sid for sid in without if sid not in asked_in_vain]

        calls, records, missing = _settle(look, lambda seen: not seen[2])
        for sid in missing:
            self._find(
                f"call {sid} has no data record; {_story(sid, calls, told)}", "the app's and event logger's logs"
            )
        for sid, found in records.items():
            if len(found) != 1 or sid not in calls:
                self._find(f"call {sid} has {len(found)} data records", "the app's and event logger's logs")
        for sid in well:
            status = [record.get("sip_term_status") for record in records.get(sid, [])]
            if status not in (["200"], []):
                self._find(f"call {sid} went well, and is recorded with {status}", "the app's log")
        in_vain = len(calls) - len(records) - len(missing)
        self.lines.append(
            ("call data records", f"{len(records)} of {len(calls)} calls; {in_vain} that no switch took need none")
        )

    def _events(self, well: set[str]) -> None:
        told = self._voice.platform.told

        def look() -> dict[str, list[str]]:
            calls = told("calls")
            return {sid: calls[sid]["events"] for sid in well if not in_order(calls[sid]["events"])}

        wrong = _settle(look, lambda seen: not seen)
        for sid, events in wrong.items():
            self._find(f"the platform was told {events} of call {sid}", "the app's log")
        number = len(well) - len(wrong)
        self.lines.append(("call events", f"{len(told('call_events'))}; of {number} calls each once and in order"))

    def _keys(self, pressed: dict[str, str]) -> None:
        """Every key that was pressed came to the customer."""
        gathered = {
            each["parameters"]["CallSid"]: each["parameters"].get("Digits")
            for each in self._voice.customer.requests("gathered")
        }
        wrong = [sid for sid, keys in pressed.items() if gathered.get(sid) != keys]
        for sid in wrong:
            self._find(f"call {sid} pressed {pressed[sid]}; its customer was told {gathered.get(sid)}", "the app's log")
        self.lines.append(("keys into Gather", f"of {len(pressed) - len(wrong)} calls, as they were pressed"))

    def recordings(self, recorded: set[str]) -> None:
        """Every recording of a call that went well is in the bucket, and its MP3 beside it."""

        def look() -> list[str]:
            told = self._voice.platform.told("recordings").values()
            keys = {
                each["phone_call_id"]: each["raw_recording_url"].split("/", 3)[3]
                for each in told
                if "raw_recording_url" in each
            }
            objects = self._objects()
            return [line for sid in sorted(recorded) for line in _recording_problems(sid, keys, objects)]

        problems = _settle(look, lambda seen: not seen)
        for problem in problems:
            self._find(problem, "the app's log, emulator.log")
        if not problems:
            self.lines.append(("recordings", f"{len(recorded)}, each in the bucket with its MP3 beside it"))

    def _objects(self) -> set[str]:
        pages = self._system.s3.get_paginator("list_objects_v2").paginate(Bucket=self._system.bucket)
        return {each["Key"] for page in pages for each in page.get("Contents", [])}

    # --- what is left

    def nothing_is_left(self) -> None:
        """No message is a dead letter, and every process serves."""
        try:
            self._system.supervisor.wait_until_ready(_SETTLED_SECONDS)
        except ServerFailed as error:
            self._find(str(error).partition(";")[0], "the log of that process")
        for name in ("DeadLetterQueueUrl", "S3MpegFailuresQueueUrl"):
            if left := self._system.messages_in(self._system.outputs[name]):
                self._find(f"in {name} lie {left}", "the functions' logs in emulator.log")
            else:
                self.lines.append((name.removesuffix("Url"), "empty"))
        for gateway in (self._voice.public_gateway, self._voice.client_gateway):
            dialogs = gateway.statistic("active_dialogs")
            self.lines.append((f"{gateway.kind} gateway: dialogs left", str(dialogs)))

    def _find(self, what: str, where: str) -> None:
        self.findings.append(Finding(what, where))


def _settle(look: Callable[[], T], is_well: Callable[[T], bool]) -> T:
    """Look until all is well, within a bound, and return what was seen last."""
    deadline = time.monotonic() + _SETTLED_SECONDS
    while True:
        seen = look()
        if is_well(seen) or time.monotonic() > deadline:
            return seen
        time.sleep(_LOOK_SECONDS)


def in_order(events: list[str]) -> bool:
    """Tell whether each event came once at most and in its order, and the answer and the end came."""
    return events == [each for each in _EVENTS if each in events] and {"answered", "completed"} <= set(events)


def _by_sid(documents: Any) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for document in documents:
        variables = document["variables"]
        sid = variables.get("sip_h_X-Somleng-CallSid") or variables.get("sip_rh_X-Somleng-CallSid")
        found[str(sid)].append(variables)
    return found


def _story(sid: str, calls: Any, told: Callable[[str], Any]) -> str:
    parents = {each["sid"]: each["parent_call_sid"] for each in told("outbound_calls")}
    of = f"a Dial's of call {parents[sid]}" if sid in parents else "no Dial's"
    return f"external id {calls[sid]['external_id']}, events {calls[sid]['events']}, {of}"


def _recording_problems(sid: str, keys: dict[str, str], objects: set[str]) -> list[str]:
    if sid not in keys:
        return [f"the platform was not told where the recording of call {sid} is"]
    wanted = (keys[sid], keys[sid].removesuffix(".wav") + ".mp3")
    return [f"{key} of call {sid} is not in the bucket" for key in wanted if key not in objects]
