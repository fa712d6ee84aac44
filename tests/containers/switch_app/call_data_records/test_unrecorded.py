"""The record of a call that was never reached is on the disk when the app has ended."""

import json
import shutil
from pathlib import Path

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
