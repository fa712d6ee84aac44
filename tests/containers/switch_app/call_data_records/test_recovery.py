"""Each call that a process left without a record gets one, and none gets two, whatever became of it."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from switch_app.call_data_records.owed import OwedCall, OwedRecords, channel_of
from switch_app.call_data_records.recovery import recover
from switch_app.call_data_records.unrecorded import UnrecordedCalls
from switch_app.errors import MediaServerError

CALL = OwedCall("call-sid", 1000)


@dataclass
class Channels:
    """A media server that has a channel for some looks; something happens at each."""

    looks: list[bool | MediaServerError] = field(default_factory=list)
    act: Callable[[int], None] = lambda left: None

    async def wait_until_ready(self) -> None:
        """Be there."""

    async def has_channel(self, uuid: str) -> bool:
        assert uuid == CALL.channel
        look = self.looks.pop(0) if self.looks else False
        self.act(len(self.looks))
        if isinstance(look, MediaServerError):
            raise look
        return look


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[UnrecordedCalls]:
    records = UnrecordedCalls(tmp_path, clock=lambda: 2000.0)
    await records.note_owed([CALL.sid])
    yield records
    await records.close()


def written(directory: Path) -> list[dict[str, str]]:
    return [json.loads(path.read_text())["variables"] for path in directory.glob("*.json")]


def write(directory: Path, text: str) -> None:
    (directory / f"{CALL.channel}.cdr.json").write_text(text)


WHOLE = '{"variables": {"record_cdr": "true", "hangup_cause": "USER_BUSY"}}\n'


async def test_a_call_that_was_never_dialled_has_failed(records: UnrecordedCalls, tmp_path: Path) -> None:
    (call,) = records.left()
    for _ in range(2):  # and once more after another restart
        await recover([call], Channels(), records, 0.0)
        (variables,) = written(tmp_path)
    assert (variables["uuid"], variables["sip_h_X-Somleng-CallSid"]) == (channel_of("call-sid"), "call-sid")
    assert (variables["sip_term_status"], variables["answer_epoch"]) == ("503", "0")
    assert OwedRecords(tmp_path).is_owed(call)  # until it is sent


async def test_a_leg_that_there_is_gets_the_media_servers_record(records: UnrecordedCalls, tmp_path: Path) -> None:
    looks: list[bool | MediaServerError] = [True, MediaServerError("lost"), False, True, True, False, False]
    channels = Channels(looks, lambda left: write(tmp_path, WHOLE) if left == 2 else None)
    await recover(records.left(), channels, records, 0.0)
    assert channels.looks == []
    assert [variables["hangup_cause"] for variables in written(tmp_path)] == ["USER_BUSY"]


async def test_a_record_that_is_sent_meanwhile_is_the_calls(records: UnrecordedCalls, tmp_path: Path) -> None:
    channels = Channels([True, False], lambda left: OwedRecords(tmp_path).settle(CALL.sid))
    await recover(records.left(), channels, records, 0.0)
    assert written(tmp_path) == []


async def test_half_a_record_of_a_media_server_that_died_is_replaced(records: UnrecordedCalls, tmp_path: Path) -> None:
    write(tmp_path, WHOLE[:-9])
    await recover(records.left(), Channels(), records, 0.0)
    assert [variables["sip_term_status"] for variables in written(tmp_path)] == ["503"]


async def test_a_record_that_this_app_wrote_before_it_was_killed_stands(
    records: UnrecordedCalls, tmp_path: Path
) -> None:
    records.note_unreached(CALL.sid, "USER_NOT_REGISTERED", 480)
    await recover(records.left(), Channels(), records, 0.0)
    assert [variables["sip_term_status"] for variables in written(tmp_path)] == ["480"]


def test_what_is_no_note_is_removed(tmp_path: Path) -> None:
    owed = OwedRecords(tmp_path)
    owed.note([CALL, OwedCall("../../etc/passwd", 5)])
    (tmp_path / "owed" / "a.json").write_text("{")
    (tmp_path / "owed" / ".b.json.partial").write_text("{")
    assert {call.sid for call in owed.left()} == {CALL.sid, "../../etc/passwd"}
    assert len(list((tmp_path / "owed").iterdir())) == 2


async def test_calls_that_cannot_be_noted_are_dialled_all_the_same(
    records: UnrecordedCalls, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "owed" / f"{CALL.channel}.json").unlink()
    (tmp_path / "owed").rmdir()
    await records.note_owed([CALL.sid])
    assert "calls cannot be noted" in caplog.messages
