"""The event logger as a process: what it logs and tells, and how it ends."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.containers.switch_app.whole_app import free_port
from tests.fakes.call_platform import CallPlatform
from tests.fakes.event_socket import EventSocket
from tests.fakes.parameter_store import ParameterStore
from tests.support.event_logger import PASSWORD, EventLogger, write_record
from tests.support.waiting import until

Start = Callable[..., EventLogger]

CALL = {
    "Unique-ID": "uuid-1",
    "Call-Direction": "inbound",
    "Caller-Caller-ID-Number": "+85512234567",
    "Caller-Destination-Number": "+85510551006",
    "variable_sip_rh_X-Somleng-CallSid": "sid-1",
    "variable_somleng_auth_token": "an-account's-secret",
}


def channels(*uuids: str) -> list[dict[str, str]]:
    return [{"uuid": uuid, "direction": "inbound"} for uuid in uuids]


def test_events_become_lines_without_numbers_and_secrets(event_logger: Start, event_socket: EventSocket) -> None:
    logger = event_logger()
    logger.wait_until_connected()
    event_socket.tell("CHANNEL_CREATE", CALL)
    event_socket.tell("CHANNEL_HANGUP_COMPLETE", {**CALL, "Hangup-Cause": "USER_BUSY", "variable_billsec": "7"})
    until("the event", lambda: logger.lines(lambda line: line.get("hangup_cause")))
    lines = [line for line in logger.lines() if line.get("message") == "event"]
    assert [line["event"] for line in lines] == ["CHANNEL_CREATE", "CHANNEL_HANGUP_COMPLETE"]
    assert all(
        (line["call_uuid"], line["call_sid"], line["direction"]) == ("uuid-1", "sid-1", "inbound") for line in lines
    )
    assert (lines[1]["hangup_cause"], lines[1]["billed_seconds"]) == ("USER_BUSY", "7")
    written = logger.log.read_text()
    for secret in ("85512234567", "85510551006", "secret", PASSWORD):
        assert secret not in written


def test_heartbeats_tell_what_ecs_scales_on(event_logger: Start, event_socket: EventSocket) -> None:
    event_socket.sessions = 7
    logger = event_logger(SERVICE_NAME="switch-staging", SESSION_COUNT_INTERVAL="0.5")
    until("heartbeats", lambda: len(logger.values("SessionCount")) >= 2)
    line = logger.lines(lambda line: "SessionCount" in line)[0]
    # { $.Session-Count = * } is a metric filter's pattern.
    assert (line["event"], line["Session-Count"], line["Max-Sessions"], line["Idle-CPU"]) == ("HEARTBEAT", 7, 150, 98.5)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("SomlengSWITCH", [["ServiceName"]])
    assert {"Name": "SessionCount", "Unit": "Count"} in directive["Metrics"]
    assert (line["ServiceName"], line["SessionCount"], line["IdleCpu"]) == ("switch-staging", [7.0], [98.5])
    stamps = [line["_aws"]["Timestamp"] for line in logger.lines(lambda line: "SessionCount" in line)]
    assert stamps[1] - stamps[0] >= 400


def test_live_calls_are_told_to_the_platform(
    event_logger: Start, event_socket: EventSocket, platform: CallPlatform
) -> None:
    logger = event_logger()
    logger.wait_until_connected()
    time.sleep(0.4)
    assert platform.heartbeats == []  # nothing is told of an idle switch
    event_socket.channels = channels("uuid-1", "uuid-2", "uuid-2")  # an inbound leg is listed twice
    until("call heartbeats", lambda: len(platform.heartbeats) >= 2)
    assert platform.heartbeats[:2] == [["uuid-1", "uuid-2"]] * 2
    event_socket.channels = channels(*(f"uuid-{number}" for number in range(600)))
    until("both batches", lambda: [len(told) for told in platform.heartbeats][-2:] == [500, 100])


def test_a_freeswitch_that_cannot_list_its_channels(
    event_logger: Start, event_socket: EventSocket, platform: CallPlatform
) -> None:
    event_socket.database = False
    logger = event_logger()
    logger.wait_until_connected()
    until("the problem", lambda: logger.health("/call_heartbeats")[0] == 503)
    assert "-ERR SQL disabled" in json.loads(logger.health("/call_heartbeats")[1])["problems"]["call_heartbeats"]
    event_socket.database = True
    event_socket.channels = channels("uuid-1")
    until("a heartbeat", lambda: platform.heartbeats)
    until("its end", lambda: logger.health() == (200, "OK"))
    until("the count", lambda: sum(logger.values("CallHeartbeatFailed")) >= 1)


def test_freeswitch_goes_and_comes_back(
    event_logger: Start, event_socket: EventSocket, platform: CallPlatform, tmp_path: Path
) -> None:
    logger = event_logger()
    logger.wait_until_connected()
    event_socket.__exit__()
    until("the loss", lambda: logger.health("/event_socket")[0] == 503)
    check = [sys.executable, "-m", "freeswitch_event_logger.healthcheck"]
    assert subprocess.run(check, env=logger.environment, check=False, timeout=20).returncode == 1
    write_record(logger.records, "a")  # records go on meanwhile
    until("the record", lambda: platform.call_data_records)
    with EventSocket("127.0.0.1", event_socket.port, event_socket.password, interval=0.1) as again:
        logger.wait_until_connected()
        assert subprocess.run(check, env=logger.environment, check=False, timeout=20).returncode == 0
        again.tell("CHANNEL_CREATE", CALL)
        until("its event", lambda: logger.lines(lambda line: line.get("call_uuid") == "uuid-1"))
        again.drop()
        until("both losses", lambda: sum(logger.values("EventSocketLost")) == 2)
        logger.wait_until_connected()


def test_a_platform_that_is_down_loses_nothing(
    event_logger: Start, event_socket: EventSocket, platform: CallPlatform
) -> None:
    platform.password = "another"  # 401 to all
    event_socket.channels = channels("uuid-1")
    logger = event_logger(CALL_DATA_RECORDS_AGE_MAXIMUM="50")
    for number in range(12):
        write_record(logger.records, f"{number:02}", age=100 - number)
    until("the problem", lambda: logger.health("/platform")[0] == 503, 20)
    until("the metric", lambda: logger.values("CallDataRecordsWaiting")[-1:] == [12.0])
    problems = json.loads(logger.health()[1])["problems"]
    assert problems["call_data_records"].startswith("12 records wait, the oldest for 10")
    assert logger.values("CallDataRecordsAge")[-1] > 99
    platform.password = PASSWORD
    until("all records", lambda: not logger.left(), 20)
    taken = [record["variables"]["uuid"] for record in platform.call_data_records]
    assert sorted(taken) == [f"{number:02}" for number in range(12)]
    assert [uuid for place, uuid in enumerate(taken) if int(uuid) > place + 4] in ([], ["11"])
    assert platform.call_data_records[0]["callStats"]["audio"]["inbound"] == {"mos": None, "note": "~~~???>>>"}
    until("health", lambda: logger.health() == (200, "OK"))


def test_told_to_stop_it_waits_for_the_last_call_and_its_record(
    event_logger: Start, event_socket: EventSocket, platform: CallPlatform
) -> None:
    event_socket.sessions, event_socket.channels = 1, channels("uuid-1")
    logger = event_logger()
    until("a heartbeat", lambda: logger.values("SessionCount"))
    logger.tell()
    time.sleep(2.2)
    assert logger.process is not None
    assert logger.process.poll() is None
    told = len(platform.heartbeats)
    until("further call heartbeats", lambda: len(platform.heartbeats) > told)
    write_record(logger.records, "uuid-1")
    event_socket.sessions, event_socket.channels = 0, []
    assert logger.end() == 0
    assert [record["variables"]["uuid"] for record in platform.call_data_records] == ["uuid-1"]
    assert logger.left() == []
    assert [line["is_drained"] for line in logger.lines(lambda line: line.get("message") == "ended")] == [True]


def test_records_that_cannot_leave_the_disk_in_time_wait_for_the_next_start(
    event_logger: Start, platform: CallPlatform
) -> None:
    platform.password = "another"
    logger = event_logger(DRAIN_TIMEOUT="0.3")
    write_record(logger.records, "a")
    until("the attempt", lambda: platform.requests, 20)
    logger.tell()
    assert logger.end() == 1
    assert len(logger.left()) == 1
    platform.password = PASSWORD
    again = event_logger()
    until("the record", lambda: platform.call_data_records, 20)
    again.tell()
    again.tell()  # told once more, it does not wait
    assert again.end(5) in (0, 1)


def test_a_log_that_nobody_reads_holds_nothing_up(
    event_logger: Start, event_socket: EventSocket, platform: CallPlatform
) -> None:
    logger = event_logger()
    logger.wait_until_connected()
    logger.kill()
    with subprocess.Popen(
        [sys.executable, "-m", "freeswitch_event_logger"], env=logger.environment, stdout=subprocess.PIPE
    ) as stuck:
        logger.wait_until_connected()
        for _ in range(3000):  # far more than a pipe holds
            event_socket.tell("CHANNEL_CREATE", CALL)
        write_record(logger.records, "a")
        event_socket.channels = channels("uuid-1")
        until("the record", lambda: platform.call_data_records)
        until("the call heartbeat", lambda: platform.heartbeats)
        assert logger.health() == (200, "OK")
        stuck.kill()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"EVENT_SOCKET_PASSWORD": ""}, "environment variable EVENT_SOCKET_PASSWORD is not set"),
        ({"EVENT_LOG_EVENTS": "DTMF"}, "environment variable EVENT_LOG_EVENTS has 'DTMF'"),
        ({"CALL_DATA_RECORDS_DIRECTORY": "/proc/records"}, "/proc/records"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, changes: dict[str, str], message: str) -> None:
    logger = EventLogger(tmp_path, "127.0.0.1:9", "secret", "http://127.0.0.1:9", "http://127.0.0.1:9", free_port())
    environment = {**logger.environment, **changes}
    ended: Any = subprocess.run(
        [sys.executable, "-m", "freeswitch_event_logger"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 78
    assert ended.stderr.startswith("freeswitch_event_logger: ")
    assert message in ended.stderr


def test_the_password_is_read_once(event_logger: Start, parameters: ParameterStore, platform: CallPlatform) -> None:
    logger = event_logger()
    for number in range(5):
        write_record(logger.records, str(number))
    until("the records", lambda: len(platform.call_data_records) == 5, 20)
    assert len(parameters.reads) == 1
