"""The page in headless Chromium: what it shows as rows change, and that everybody can use it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from local.live.rows import (
    Call,
    Domain,
    Event,
    Gateway,
    MediaProxy,
    Permission,
    Position,
    Problem,
    Queue,
    Registration,
    Switch,
    TableState,
    Target,
)
from local.live.watch import milliseconds
from tests.support import live_page
from tests.support.live_page import ServedPage, chromium

pytestmark = pytest.mark.skipif(live_page.BINARY is None, reason=live_page.MISSING)

UUID, SID = "7a6fb2bd-47ce-42fd-bfa9-8018a186bd88", "5edaabea-11bb-4f60-a942-e6e8a5e4327e"
GATEWAY = Gateway("public gateway", "public", "serving", 0, 0, (), 3, 2)
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 400, "height": 800}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def served() -> Iterator[ServedPage]:
    with ServedPage() as server:
        yield server


def open_page(browser: Browser, served: ServedPage, viewport: Any = WIDE, **options: Any) -> Page:
    page = browser.new_page(viewport=viewport, **options)
    page.set_default_timeout(5_000)
    page.problems = []  # type: ignore[attr-defined]
    page.asked = []  # type: ignore[attr-defined]

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            page.problems.append(message.text)  # type: ignore[attr-defined]

    page.on("console", note)
    page.on("pageerror", lambda error: page.problems.append(str(error)))  # type: ignore[attr-defined]
    page.on("request", lambda request: page.asked.append(request.url))  # type: ignore[attr-defined]
    page.goto(served.url)
    expect(page.locator("#connection")).to_have_text("connected")
    return page


@pytest.fixture
def page(browser: Browser, served: ServedPage) -> Iterator[Page]:
    opened = open_page(browser, served)
    yield opened
    problems, asked = opened.problems, opened.asked  # type: ignore[attr-defined]
    opened.close()
    assert problems == []
    assert [url for url in asked if not url.startswith(served.url)] == []


def rows(page: Page, name: str) -> Any:
    return page.locator(f'[data-rows="{name}"] tr:not(.empty):not(.is-leaving)')


def call(**changed: Any) -> Call:
    now = milliseconds()
    first = Call("c1", "", "", "", "", "public gateway", "", "gateway", "", (), False, now, now)
    return replace(first, **changed)


def fill(served: ServedPage) -> None:
    """Have some of everything."""
    now = milliseconds()
    served.put(
        t1=Target("sip:10.0.0.1:5060", 1, "gw", "ap-southeast-1", "8ec8d727", "in use", 3, 150),
        t2=Target("sip:10.0.0.9:5060", 1, "gw", "ap-southeast-1", "13dd6058", "removed"),
        p1=Permission("203.0.113.7", 1),
        r1=Registration("user1", "45.118.77.153:1619", "client gateway", now + 600_000),
        m1=MediaProxy("udp:10.0.0.5:2223", 0, "bef19a25", "silent", 0),
        d1=Domain("sip.example.org", "", "in use"),
        addresses=TableState("addresses", 1, 7),
        q1=Queue("dead letters", 2, 0),
        s1=Switch("switch 1", "10.0.0.1", 3, 150),
        g1=replace(GATEWAY, lag=1, positions=(Position("addresses", 6),), troubles=("1 rows skipped",)),
        g2=Gateway("client gateway", "client", "not reached"),
        c1=call(),
        c2=call(id="c2", sid=SID, uuid=UUID, switch="switch 1", stage="verb", verb="Say", verbs=("Say",)),
        c3=call(id="c3", uuid=UUID, stage="ended", cause="USER_BUSY", status=486),
        e1=Event(now, "services function", "task state handled", "8ec8d727 service:switch changed running"),
        e2=Event(now, "client gateway", "event socket does not answer", "10.0.0.1:8021", is_warning=True),
        b1=Problem(now, now, "switch app", "ERROR", "switch_app.x", "a recording is lost", "", "app.log, line 7", 2),
        b2=Problem(now, now, "FreeSWITCH", "CRITICAL", "mod_sofia.c:12", "", "", "freeswitch.log, line 9", 1),
    )  # fmt: skip


def test_rows_come_change_and_go(page: Page, served: ServedPage) -> None:
    found = rows(page, "permissions")
    empty = page.locator('[data-rows="permissions"] .empty')
    expect(empty).to_have_text("Nobody may call without a password.")
    served.put(a=Permission("203.0.113.7", 1))
    expect(found).to_have_text(["203.0.113.71"])
    expect(found).to_have_class("is-changed")
    expect(page.locator('[data-count="permissions"]')).to_have_text("1")
    expect(empty).to_have_count(0)
    expect(found).not_to_have_class("is-changed", timeout=5_000)
    served.put(b=Permission("192.0.2.1", 2), a=Permission("203.0.113.7", 3))
    expect(found).to_have_text(["192.0.2.12", "203.0.113.73"])
    expect(found.nth(1)).to_have_class("is-changed")
    served.remove(Permission, "a")
    expect(page.locator('[data-rows="permissions"] .is-leaving')).to_have_text("203.0.113.73")
    expect(found).to_have_text(["192.0.2.12"])
    expect(page.locator('[data-rows="permissions"] tr')).to_have_count(1)
    expect(page.locator("#announcements")).to_contain_text("permission")


def test_a_call_moves_from_gateway_to_switch_to_verb_to_its_end(page: Page, served: ServedPage) -> None:
    now = page.locator('[data-rows="calls"] [aria-current="step"]')
    edge = page.locator('.wide [data-edge="public-switch"]')
    app = page.locator('.wide [data-node="switch-app"] .figure')
    served.put(c1=call(), public=GATEWAY)
    expect(now).to_have_text("public gateway")
    expect(page.locator('[data-figure="calls"]')).to_have_text("1")
    expect(edge).to_have_class("edge is-active")
    served.put(c1=call(uuid=UUID, switch="switch 1", stage="switch", direction="inbound"))
    expect(now).to_have_text("switch 1")
    expect(app).to_have_text("1 call")
    for verb, verbs in (("Say", ("Say",)), ("Gather", ("Say", "Gather"))):
        served.put(c1=call(uuid=UUID, sid=SID, switch="switch 1", stage="verb", verb=verb, verbs=verbs))
        expect(now).to_have_text(verb)
        expect(app).to_have_text(f"1 {verb}")
    expect(rows(page, "calls").locator("td").nth(0)).to_contain_text(SID[:8])
    expect(rows(page, "calls").locator("td").nth(2)).to_have_text("Say, Gather")
    expect(rows(page, "calls").locator("td").nth(3)).to_have_text("2 s")
    over = call(
        uuid=UUID,
        sid=SID,
        switch="switch 1",
        verb="Gather",
        verbs=("Gather",),
        stage="ended",
        cause="NORMAL_CLEARING",
        status=200,
    )
    served.put(c1=over, c2=replace(call(), id="c2", began=1))
    expect(now).to_have_text(["public gateway"])
    expect(rows(page, "calls").nth(1).locator("td").nth(4)).to_contain_text("normal clearing")
    expect(rows(page, "calls").nth(1)).to_contain_class("over")
    served.remove(Call, "c2")
    expect(edge).to_have_class("edge")


def test_gateways_targets_queues_and_errors(page: Page, served: ServedPage) -> None:
    fill(served)
    card = page.locator('[data-cards="gateways"] > li')
    expect(card.nth(0)).to_contain_text("at 6 of 7")
    expect(card.nth(0)).to_contain_text("1 change")
    expect(card.nth(0)).to_contain_text("1 rows skipped")
    expect(card.nth(1).locator(".state")).to_have_text("not reached")
    expect(rows(page, "targets").locator(".state")).to_have_text(["in use", "removed"])
    expect(rows(page, "targets").nth(0)).to_contain_text("3 / 150")
    expect(page.locator('[data-rows="targets"] .is-changed')).to_have_count(0, timeout=5_000)
    served.put(t1=Target("sip:10.0.0.1:5060", 1, "gw", "ap-southeast-1", "8ec8d727", "in use", 4, 149))
    expect(rows(page, "targets").nth(0)).to_contain_text("4 / 149")
    expect(page.locator('[data-rows="targets"] .is-changed')).to_have_count(0)
    expect(rows(page, "problems").nth(0)).to_contain_text("app.log, line 7")
    expect(rows(page, "problems").nth(1)).to_contain_text("critical in mod_sofia.c:12")
    figures = {name: page.locator(f'[data-figure="{name}"]') for name in ("targets", "lag", "dead-letters", "problems")}
    for name, text in (("targets", "1"), ("lag", "1"), ("dead-letters", "2"), ("problems", "2")):
        expect(figures[name]).to_have_text(text)
    expect(page.locator('.wide [data-node="dead-letters"]')).to_have_attribute("data-level", "bad")
    expect(page.locator('.wide [data-node="freeswitch"] .figure')).to_have_text("3 sessions")


def test_it_recovers_when_its_server_is_started_again(browser: Browser, served: ServedPage) -> None:
    page = open_page(browser, served)
    served.put(a=Permission("203.0.113.7", 1))
    expect(rows(page, "permissions")).to_have_count(1)
    served.stop()
    connection = page.locator("#connection")
    expect(connection).to_contain_text("no connection since", timeout=10_000)
    expect(connection).to_have_attribute("data-state", "lost")
    served.remove(Permission, "a")
    served.put(b=Permission("192.0.2.1", 1))
    served.start()
    expect(connection).to_have_text("connected", timeout=15_000)
    expect(rows(page, "permissions")).to_have_text(["192.0.2.11"])
    served.put(c=Permission("192.0.2.2", 1))
    expect(rows(page, "permissions")).to_have_count(2)
    # That nobody answered is all that there is to say.
    assert all("ERR_CONNECTION_REFUSED" in text or "ERR_INCOMPLETE" in text for text in page.problems)  # type: ignore[attr-defined]
    page.close()


def test_text_is_text(page: Page, served: ServedPage) -> None:
    evil = "<img src=x onerror=\"document.title='evil'\">"
    served.put(a=Permission(evil, 1), e=Event(milliseconds(), evil, evil, evil), public=Gateway(evil, "public", evil))
    expect(rows(page, "permissions").locator("td").nth(0)).to_have_text(evil)
    expect(rows(page, "events")).to_contain_text(evil)
    expect(page.locator('[data-cards="gateways"] strong')).to_have_text(evil)
    assert page.locator("main img").count() == 0
    expect(page).to_have_title("SomlengSWITCH live")


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["1280", "400"])
def test_nothing_overlaps_and_nothing_moves_when_rows_come(browser: Browser, served: ServedPage, viewport: Any) -> None:
    page = open_page(browser, served, viewport)
    boxes = "[...document.querySelectorAll('.panel, .figures')].map((e) => e.getBoundingClientRect().toJSON())"
    before = page.evaluate(boxes)
    fill(served)
    served.put(**{f"x{number}": Permission(f"192.0.2.{number}", 1) for number in range(50)})
    expect(rows(page, "permissions")).to_have_count(51)
    after = page.evaluate(boxes)
    assert after == before
    assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    for index, one in enumerate(after):
        for other in after[index + 1 :]:
            apart = one["right"] <= other["left"] or other["right"] <= one["left"]
            assert apart or one["bottom"] <= other["top"] or other["bottom"] <= one["top"]
    visible = page.locator("svg.diagram:visible")
    assert visible.count() == 1
    overflowing = """
        [...document.querySelectorAll("svg.diagram .node")].filter((node) => node.checkVisibility()).flatMap((node) => {
            const { right } = node.querySelector("rect").getBoundingClientRect();
            const texts = [...node.querySelectorAll("text")];
            return texts.filter((text) => text.getBoundingClientRect().right > right).map((text) => text.textContent);
        })
    """
    assert page.evaluate(overflowing) == []
    page.close()


@pytest.mark.parametrize(("viewport", "scheme"), [(WIDE, "light"), (NARROW, "dark")], ids=["1280", "400"])
def test_it_keeps_the_rules_of_accessibility(browser: Browser, served: ServedPage, viewport: Any, scheme: str) -> None:
    fill(served)
    page = open_page(browser, served, viewport, color_scheme=scheme)
    expect(rows(page, "permissions")).to_have_count(1)
    # The rules of WCAG 2.1, levels A and AA: names, roles, landmarks, contrast.
    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
    result = Axe().run(page, options=options)
    assert result.violations_count == 0, result.generate_report()
    page.close()


def test_it_can_be_used_by_keyboard(page: Page, served: ServedPage) -> None:
    served.put(**{f"x{number}": Permission(f"192.0.2.{number}", 1) for number in range(50)})
    expect(rows(page, "permissions")).to_have_count(50)
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the calls")
    page.keyboard.press("Enter")
    expect(page.locator(":focus")).to_have_id("calls")
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.getAttribute('aria-labelledby')"))
        if reached[-1] == "permissions-heading":
            page.keyboard.press("End")
            expect(page.locator(":focus")).not_to_have_js_property("scrollTop", 0)
    regions = page.locator(".scroll").evaluate_all("all => all.map((each) => each.getAttribute('aria-labelledby'))")
    assert [name for name in reached if name] == regions[: len([name for name in reached if name])]
    assert set(regions) == set(reached) - {None}
