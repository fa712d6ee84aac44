"""The record of a call that was never reached is on the disk when the app has ended."""

import json
import shutil
from pathlib import Path

import pytest

from switch_app.call_data_records.document import LostCall
from switch_app.call_data_records.unrecorded import UnrecordedCalls


async def test_what_is_noted_last_survives_the_end(tmp_path: Path) -> None:
    unreached = UnrecordedCalls(tmp_path, clock=lambda: 1000.5)
    unreached.note_unreached("call-sid", "USER_BUSY", 486)
    await unreached.close()
    (path,) = tmp_path.glob("*.cdr.json")
    variables = json.loads(path.read_text())["variables"]
    assert variables["uuid"] == path.name.partition(".")[0]
    assert (variables["sip_h_X-Somleng-CallSid"], variables["sip_term_status"]) == ("call-sid", "486")
    assert (variables["start_epoch"], variables["record_cdr"]) == ("1000", "true")


async def test_one_that_cannot_be_written_is_counted(tmp_path: Path) -> None:
    counted: list[str] = []
    unreached = UnrecordedCalls(tmp_path / "records", count=counted.append)
    shutil.rmtree(tmp_path / "records")
    unreached.note_unreached("call-sid", "USER_BUSY", 486)
    await unreached.close()
    assert counted == ["CallDataRecordLost"]


@pytest.mark.parametrize(
    ("left", "billed"),
    [
        (None, "20"),
        ('{"variables": {"record_cdr": "true", "bill', "20"),
        ('{"variables": {"billsec": "7"}}', "20"),
        ('{"variables": {"record_cdr": "true", "billsec": "7", "mos": nan}}', "7"),
    ],
    ids=["none", "half of one", "one that does not count", "one that counts"],
)
async def test_of_what_the_media_server_wrote_before_it_died_a_record_that_counts_stands(
    tmp_path: Path, left: str | None, billed: str
) -> None:
    unrecorded = UnrecordedCalls(tmp_path, clock=lambda: 1030.0)
    path = tmp_path / "channel.cdr.json"
    if left is not None:
        path.write_text(left)
    unrecorded.note_lost(LostCall("channel", "call-sid", "outbound", 1000, 1010))
    await unrecorded.close()
    assert list(tmp_path.glob("*.json")) == [path]
    assert f'"billsec": "{billed}"' in path.read_text()
