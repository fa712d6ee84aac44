"""Records outlive the process that delivers them, whatever it was doing, and whatever becomes of the answers."""

import asyncio
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from freeswitch_event_logger.call_data_records import CallDataRecords
from switch_app.backoff import Backoff
from switch_app.errors import PlatformUnavailable
from tests.fakes.call_platform import CallPlatform
from tests.support.event_logger import EventLogger, write_record
from tests.support.waiting import until


def test_killed_again_and_again_it_loses_no_record(
    event_logger: Callable[..., EventLogger], platform: CallPlatform
) -> None:
    platform.delay = 0.005
    logger = event_logger()
    wanted = [f"{number:02}" for number in range(60)]
    for number, uuid in enumerate(wanted):
        write_record(logger.records, uuid, age=100 - number)
    kills = (1, 14, 33)
    for count in kills:
        until("some records", lambda count=count: len(platform.call_data_records) >= count, 20)  # type: ignore[misc]
        logger.kill()
        assert logger.left()
        logger.start()
    until("all records", lambda: not logger.left(), 20)
    assert sorted(record["variables"]["uuid"] for record in platform.call_data_records) == wanted
    sent = [request for request in platform.requests if request.path == "/call_data_records"]
    assert len(sent) <= len(wanted) + 4 * len(kills)  # those under way at a kill go twice, and no others


class Platform:
    """A platform that does what it is told with each record: takes it, fails, or takes it and is not heard.

    Once it is told nothing more, it takes all.
    """

    def __init__(self, answers: list[str]) -> None:
        self.answers = answers
        self.taken: list[str] = []
        self.asked = 0

    async def send_call_data_record(self, document: str) -> None:
        self.asked += 1
        answer = self.answers.pop(0) if self.answers else "take"
        await asyncio.sleep(0)
        if answer != "fail":
            self.taken.append(json.loads(document)["variables"]["uuid"])
        if answer != "take":
            await asyncio.sleep(0)
            raise PlatformUnavailable(answer)


@given(
    count=st.integers(0, 25),
    answers=st.lists(st.sampled_from(["take", "take", "fail", "unheard"]), max_size=40),
    lives=st.lists(st.integers(0, 12), max_size=5),
)
@settings(max_examples=40, deadline=None)
def test_every_record_arrives_and_none_more_often_than_it_must(
    count: int, answers: list[str], lives: list[int]
) -> None:
    """A life ends after so many requests, wherever it is then."""

    async def live(directory: Path) -> Platform:
        platform = Platform(list(answers))
        for number in range(count):
            write_record(directory, f"{number:02}", age=100 - number)
        for requests in [*lives, None]:
            records = CallDataRecords(directory, platform, backoff=Backoff(0.001, 0.002), pause=0.001)
            task, begin = asyncio.create_task(records.run()), platform.asked
            async with asyncio.timeout(10):
                while list(directory.glob("*.json")):
                    if requests is not None and platform.asked - begin >= requests:
                        break
                    await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await records.close()
        return platform

    with tempfile.TemporaryDirectory() as directory:
        platform = asyncio.run(live(Path(directory)))
        assert not list((Path(directory) / "set-aside").glob("*"))
    assert sorted(set(platform.taken)) == [f"{number:02}" for number in range(count)]
    assert len(platform.taken) - count <= answers.count("unheard") + 4 * len(lives)
