"""What the event logger's process does in a second, and what it costs: records, call heartbeats, events.

Records of 20 KB wait in the directory; they are delivered to a platform on this machine that answers at once, and
beside it the same bodies are posted by aiohttp alone, four at a time, as the event logger does. Call heartbeats list
150 channels. CPU time is the process's own; of heartbeats and events, what it uses when nothing happens is taken off.

    make bench, or python -m benchmarks.event_logger [--records 2000]
"""

import argparse
import asyncio
import base64
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import aiohttp

from local.servers import free_port
from tests.fakes.call_platform import CallPlatform
from tests.fakes.event_socket import EventSocket
from tests.fakes.parameter_store import ParameterStore
from tests.support.cpu_time import cpu_seconds
from tests.support.event_logger import PARAMETER, PASSWORD, EventLogger, write_record

_CHANNELS = 150
_SECONDS = 6.0
_EVENTS = 5000
_AT_ONCE = 4
_VARIABLES = {f"variable_{number}": f"value%20{number:040}" for number in range(300)}
_ROW = {
    "direction": "inbound",
    "created": "2026-11-24 23:00:00",
    "created_epoch": "1795561525",
    "name": "sofia/nat_gateway/1294@10.0.0.1",
    "state": "CS_EXECUTE",
    "cid_num": "+85512234567",
    "ip_addr": "10.0.0.2",
    "dest": "1294",
    "application": "socket",
    "application_data": "127.0.0.1:8084 async full",
    "dialplan": "XML",
    "context": "default",
    "read_codec": "PCMU",
    "read_rate": "8000",
    "read_bit_rate": "64000",
    "write_codec": "PCMU",
    "write_rate": "8000",
    "write_bit_rate": "64000",
    "hostname": "switch",
    "callstate": "ACTIVE",
    "accountcode": "",
    "call_uuid": "",
}


@contextmanager
def running(
    event_socket: EventSocket, platform: CallPlatform, directory: Path, **settings: str
) -> Iterator[EventLogger]:
    with ParameterStore({PARAMETER: PASSWORD}) as parameters:
        address = f"127.0.0.1:{event_socket.port}"
        quiet = {"METRICS_INTERVAL": "60", "SESSION_COUNT_INTERVAL": "20", **settings}
        with EventLogger(
            directory, address, event_socket.password, platform.url, parameters.url, free_port(), quiet
        ) as logger:
            logger.wait_until_connected()
            time.sleep(1)
            yield logger


def cpu_of(logger: EventLogger) -> float:
    assert logger.process is not None
    return cpu_seconds(logger.process.pid)


def idle_cpu(event_socket: EventSocket, platform: CallPlatform, directory: Path) -> float:
    """Return CPU seconds a second when there is no call; FreeSWITCH beats once a second all the same."""
    with running(event_socket, platform, directory) as logger:
        before = cpu_of(logger)
        time.sleep(_SECONDS)
        return (cpu_of(logger) - before) / _SECONDS


def heartbeats(event_socket: EventSocket, platform: CallPlatform, directory: Path, idle: float) -> None:
    event_socket.channels = [{"uuid": f"{number:036}", **_ROW} for number in range(_CHANNELS)]
    settings = {"CALL_STATUS_HEARTBEAT_INTERVAL_SECONDS": "0.1"}
    with running(event_socket, platform, directory, **settings) as logger:
        before, told = cpu_of(logger), len(platform.heartbeats)
        time.sleep(_SECONDS)
        used, count = cpu_of(logger) - before - idle * _SECONDS, len(platform.heartbeats) - told
    event_socket.channels = []
    print(f"call heartbeat, {_CHANNELS} channels: {used / count * 1000:.2f} ms of CPU ({count} in {_SECONDS:.0f} s)")


def events(event_socket: EventSocket, platform: CallPlatform, directory: Path, idle: float) -> None:
    headers = {"Unique-ID": "0" * 36, "Call-Direction": "inbound", **_VARIABLES}
    with running(event_socket, platform, directory) as logger:
        before, began = cpu_of(logger), time.monotonic()
        for _ in range(_EVENTS):
            event_socket.tell("CHANNEL_ANSWER", headers)
        while logger.log.read_bytes().count(b'"CHANNEL_ANSWER"') < _EVENTS:
            time.sleep(0.05)
        seconds = time.monotonic() - began
        used = cpu_of(logger) - before - idle * seconds
    print(f"event of 300 variables: {used / _EVENTS * 1e6:.0f} us of CPU ({_EVENTS / seconds:.0f} a second)")


def records(event_socket: EventSocket, platform: CallPlatform, directory: Path, count: int) -> None:
    with running(event_socket, platform, directory) as logger:
        hidden = directory / "written"
        hidden.mkdir()
        paths = [write_record(hidden, f"{number:036}", 0.0, **_VARIABLES) for number in range(count)]
        bodies = [path.read_text().replace("-nan", "null").encode() for path in paths]
        before, began = cpu_of(logger), time.monotonic()
        for path in paths:
            path.rename(logger.records / path.name)
        while len(platform.call_data_records) < count or logger.left():
            time.sleep(0.02)
        seconds, used = time.monotonic() - began, cpu_of(logger) - before
    began = time.monotonic()
    asyncio.run(_post(platform.url, bodies))
    bare = time.monotonic() - began
    kilobytes, milliseconds = len(bodies[0]) / 1000, used / count * 1000
    print(f"record of {kilobytes:.0f} KB: {count / seconds:.0f} a second, {milliseconds:.2f} ms of CPU")
    print(f"  aiohttp alone: {count / bare:.0f} a second, ratio {bare / seconds:.2f}")


async def _post(url: str, bodies: list[bytes]) -> None:
    waiting = iter(bodies)
    headers = {
        "Authorization": aiohttp.encode_basic_auth("services", PASSWORD),
        "Content-Type": "application/x-www-form-base64-encoded",
    }
    async with aiohttp.ClientSession(headers=headers) as http:

        async def work() -> None:
            for body in waiting:
                content = f"cdr={quote(base64.b64encode(body).decode(), safe='')}".encode()
                async with http.post(f"{url}/call_data_records", data=content) as answer:
                    assert answer.status == 204

        await asyncio.gather(*(work() for _ in range(_AT_ONCE)))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=2000)
    count = parser.parse_args().records
    with (
        tempfile.TemporaryDirectory() as base,
        EventSocket("127.0.0.1", 0) as event_socket,
        CallPlatform("services", PASSWORD) as platform,
    ):
        directories = [Path(base) / name for name in ("idle", "heartbeats", "events", "records")]
        for directory in directories:
            directory.mkdir()
        idle = idle_cpu(event_socket, platform, directories[0])
        print(f"idle: {idle * 1000:.1f} ms of CPU a second")
        heartbeats(event_socket, platform, directories[1], idle)
        events(event_socket, platform, directories[2], idle)
        records(event_socket, platform, directories[3], count)


if __name__ == "__main__":
    main()
