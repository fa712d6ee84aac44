"""What the soak finds out about calls, from what the platform was told and the customer was asked."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from local.soak import checks
from local.soak.checks import Checks
from local.soak.ledger import Placed
from local.voice.customer import REQUESTS
from local.voice.documents import Documents
from local.voice.platform import PlatformDesk
from tests.fakes.call_platform import CallPlatform

SID, OTHER = "2f0f6ad0", "9e2ec5f6"


class Scene:
    """A platform, a customer, and the calls that a soak placed."""

    def __init__(self, platform: CallPlatform, directory: Path) -> None:
        self.platform, self.directory = platform, directory
        self.objects: list[str] = []
        customer = Documents(directory, "http://127.0.0.1")
        voice: Any = SimpleNamespace(platform=PlatformDesk(platform.url), customer=customer)
        pages = SimpleNamespace(paginate=lambda **_: [{"Contents": [{"Key": key} for key in self.objects]}])
        s3 = SimpleNamespace(get_paginator=lambda _: pages)
        system: Any = SimpleNamespace(s3=s3, bucket="recordings")
        self.checks = Checks(system, voice, cast("Any", None), cast("Any", None))
        self.callers: Any = SimpleNamespace(calls=[], keys={})

    def call(self, sid: str = SID, *, records: int = 1, status: str = "200", problem: str = "") -> None:
        """Have a call that was answered and completed."""
        call = self.platform.add_call(sid, f"uuid-of-{sid}")
        call.events += ["answered", "completed"]
        for number in range(records):
            variables = {"uuid": f"{sid}-{number}", "sip_h_X-Somleng-CallSid": sid, "sip_term_status": status}
            self.platform.call_data_records.append({"variables": variables})
        self.callers.calls.append(Placed("7000001", "Say", 1, 2, sid, "127.20.4.10", "", problem))

    def pressed(self, sid: str, keys: str, came: str) -> None:
        """Have keys pressed, and others come to the customer."""
        self.callers.keys[sid] = keys
        line = json.dumps({"path": "/gathered.xml", "parameters": {"CallSid": sid, "Digits": came}})
        (self.directory / REQUESTS).write_text(line + "\n")

    def findings(self, touched: tuple[str, ...] = ()) -> list[str]:
        """Look at the calls."""
        self.checks.calls(self.callers, set(touched))
        return [finding.what for finding in self.checks.findings]


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setattr(checks, "_SETTLED_SECONDS", 0)
    with CallPlatform("services", "password") as platform:
        yield Scene(platform, tmp_path)


def test_calls_that_went_well_balance(scene: Scene) -> None:
    scene.call()
    scene.call(OTHER)
    scene.pressed(SID, "42", "42")
    assert scene.findings() == []


@pytest.mark.parametrize(("records", "said"), [(0, f"call {SID} has no data record"), (2, f"call {SID} has 2 data")])
def test_a_call_without_its_one_record_is_found_also_when_it_was_on_a_killed_process(
    scene: Scene, records: int, said: str
) -> None:
    scene.call(records=records)
    (finding,) = scene.findings(touched=(SID,))
    assert said in finding


def test_a_call_that_no_switch_took_needs_no_record_but_no_more_of_them(scene: Scene) -> None:
    scene.platform.add_call("never made")
    scene.callers.calls.append(Placed("7000002", "client is called", 1, 2, problem="the switch refused"))
    assert scene.findings() == []
    scene.platform.add_call("another")
    (finding,) = scene.findings()
    assert "has no data record" in finding


def test_a_child_of_a_dial_is_not_taken_for_a_call_that_no_switch_took(scene: Scene) -> None:
    scene.call()
    scene.platform.add_call(OTHER)
    scene.platform.outbound_calls.append({"sid": OTHER, "parent_call_sid": SID})
    scene.callers.calls.append(Placed("7000002", "client is called", 1, 2, problem="the switch refused"))
    (finding,) = scene.findings()
    assert f"call {OTHER} has no data record" in finding
    assert f"a Dial's of call {SID}" in finding


def test_a_record_with_another_status_is_found(scene: Scene) -> None:
    scene.call(status="503")
    (finding,) = scene.findings()
    assert "recorded with ['503']" in finding


def test_events_that_are_missing_are_found_but_for_calls_on_killed_processes(scene: Scene) -> None:
    scene.call()
    scene.platform.calls[SID].events.remove("completed")
    assert scene.findings(touched=(SID,)) == []
    (finding,) = scene.findings()
    assert f"was told ['answered'] of call {SID}" in finding
    assert SID not in scene.checks.completed()


def test_keys_that_came_otherwise_are_found(scene: Scene) -> None:
    scene.call()
    scene.pressed(SID, "42", "4")
    (finding,) = scene.findings()
    assert "pressed 42; its customer was told 4" in finding


def test_what_the_platform_refused_is_found(scene: Scene) -> None:
    scene.call()
    scene.platform.refused.append({"method": "POST", "path": "/recordings", "status": 422, "answer": {}})
    (finding,) = scene.findings()
    assert "/recordings" in finding


def test_recordings_and_their_mp3s_that_are_not_there_are_found(scene: Scene) -> None:
    scene.call()
    scene.checks.recordings({SID})
    url = "https://bucket.s3.amazonaws.com/calls/one.wav"
    scene.platform.recordings["recording"] = {"phone_call_id": SID, "raw_recording_url": url}
    scene.objects.append("calls/one.wav")
    scene.checks.recordings({SID})
    scene.objects.append("calls/one.mp3")
    scene.checks.recordings({SID})
    assert [finding.what for finding in scene.checks.findings] == [
        f"the platform was not told where the recording of call {SID} is",
        f"calls/one.mp3 of call {SID} is not in the bucket",
    ]


def test_a_call_is_known_by_the_number_that_it_was_placed_to(scene: Scene) -> None:
    scene.call()
    scene.platform.inbound_calls.append({"to": "7000001", "external_id": f"uuid-of-{SID}", "host": "127.20.4.10"})
    assert scene.checks.inbound_calls() == {"7000001": (SID, "127.20.4.10")}
