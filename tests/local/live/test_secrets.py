"""Secrets are planted in every source that the page reads; none of them, and nobody's number, reaches the wire."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import aiohttp
import boto3
import pytest

from local.live.clients import Clients
from local.live.model import Model
from local.live.server import LiveServer
from local.live.sources import GatewaySource, LogFile, LogKind, Sources, SwitchSource
from local.live.watch import Watch, milliseconds
from routing.attribute_values import encode
from tests.fakes.quiet_server import QuietServer
from tests.support.routing_tables import NAMES

PASSWORD, TOKEN, DIGITS, NUMBER = "Zq7-hunter2-Zq7", "tok3n-Zq7-of-the-account", "47110815", "85512999888"
DIGESTS = ("0cc175b9c0f1b6a831c399e269772661", "0cc175b9c0f1b6a8" * 4, "92eb5ffee6ae2fec" * 4)
SECRETS = (PASSWORD, TOKEN, DIGITS, NUMBER, *DIGESTS)
ALL = " ".join(SECRETS)
UUID, SID = "7a6fb2bd-47ce-42fd-bfa9-8018a186bd88", "5edaabea-11bb-4f60-a942-e6e8a5e4327e"
NOW = "2026-11-25T00:44:28.188Z"
EXCEPTION = f'Traceback (most recent call last):\n  File "a.py", line 1\nValueError: {ALL}\n{PASSWORD}: {ALL}'
PLANTED = dict.fromkeys(
    ("reason", "result", "detail", "text", "digits", "password", "auth_token", "url", "body", "from", "to", "worker",
     "check", "cause", "hangup_cause", "verb", "direction", "sip_status", "key", "table", "group", "region", "gateway",
     "task_arn", "error_type", "event_socket", "outcome", "phase", "rows_healed", "Session-Count", "sip_call_id"),
    ALL,
)  # fmt: skip


class Answers(QuietServer):
    """Answers every GET with one document."""

    def __init__(self, document: Any) -> None:
        body = json.dumps(document).encode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Management:
    """OpenSIPS's management interface, full of what nobody may see."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()

    def _answer(self) -> None:
        party = {
            "callee_contact": f"sip:{NUMBER}:{PASSWORD}@10.0.0.1:5060;tag={TOKEN}",
            "callee_sdp": ALL,
            "callee_tag": TOKEN,
        }
        dialog = {
            "callid": f"{PASSWORD}@x", "state": 4, "from_uri": f"sip:{NUMBER}@x", "to_uri": f"sip:{NUMBER}@y",
            "caller_contact": ALL, "caller_sdp": ALL, "CALLEES": [party],
        }  # fmt: skip
        target = {
            "uri": "sip:10.0.0.1:5060", "id": 1, "group": 1, "enabled": "yes", "attrs": ALL,
            "Resources": [{"name": f"gw=fs://:{PASSWORD}@10.0.0.1:8021", "max": 100, "load": 1}],
        }  # fmt: skip
        hidden = {"uri": f"fs://:{PASSWORD}@10.0.0.1:8021", "Resources": [{"load": 1, "max": 1}]}
        results = {
            "lb_list": {"Destinations": [target, hidden]},
            "dlg_list": {"count": 1, "Dialogs": [dialog]},
            "get_statistics": {f"script:{PASSWORD}": "3", "script:requests_refused": ALL},
        }
        while True:
            data, peer = self._socket.recvfrom(65_536)
            if data == b"end":
                return
            request = json.loads(data)
            answer = {"jsonrpc": "2.0", "id": request["id"], "result": results[request["method"]]}
            self._socket.sendto(json.dumps(answer).encode(), peer)

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
            client.sendto(b"end", str(self.path))
        self._thread.join()
        self._socket.close()


def json_line(**fields: Any) -> str:
    return json.dumps({**PLANTED, "time": NOW, "level": "INFO", "exception": EXCEPTION, **fields})


def logs(directory: Path) -> Iterator[LogFile]:
    """Yield a log of each kind, with lines of that program and every other, all of them planted."""
    lines = [
        json_line(logger="switch_app.freeswitch.telephony", message="call is handed over", call_uuid=UUID),
        json_line(logger="switch_app.interpreter", message="verb begins", call_uuid=UUID, call_sid=SID, verb="Gather"),
        json_line(logger="switch_app.verbs.say", message="text is not spoken", level="WARNING", call_sid=SID),
        json_line(logger="switch_app.calls.calls", message="call failed", level="ERROR", call_uuid=UUID, call_sid=SID),
        json_line(logger="switch_app.x", message=f"pressed {DIGITS}", level="ERROR"),
        json_line(logger="aiohttp.server", message=f"Error handling request {ALL}", level="ERROR"),
        json_line(logger=PASSWORD, message=ALL, level="ERROR"),
        json_line(logger=DIGESTS[0], location=TOKEN, service=ALL, message=ALL, level="CRITICAL"),
        json_line(logger="freeswitch_event_logger.event_log", message="event", event=ALL, call_uuid=UUID),
        json_line(logger="freeswitch_event_logger.event_log", message="event", event="CHANNEL_ANSWER", call_uuid=UUID),
        json_line(logger="opensips_scheduler.worker", message="step failed", level="ERROR"),
        json_line(location="_answer:50", service="services", message="message failed", level="ERROR", message_id=ALL),
        json.dumps(
            {"_aws": {"Timestamp": ALL}, "service": ALL, "MessagesDone": [2.0], "Session-Count": 7, "event": ALL}
        ),
        f"Nov 25 00:44:22 [1] ERROR:db_sqlite:db_sqlite_query: select ha1 = '{ALL}'",
        f"Nov 25 00:44:22 [1] call refused: 192.0.2.66 is no permitted address call_id={ALL}",
        f"Nov 25 00:44:22 [1] call refused: {PASSWORD} is no permitted address call_id={ALL}",
        f"2026-11-25 00:44:22.98 0.0% [ERR] mod_event_socket.c:12 auth {ALL}",
        f"2026/11/25 00:44:22 [error] 1#1: {ALL}",
        f"ERR: [core] {ALL}",
        f"ERROR:root:{ALL}",
        f"{PASSWORD} ERROR {ALL}",
        *EXCEPTION.splitlines(),
        ALL,
    ]
    for kind in LogKind:
        path = directory / f"{kind}.log"
        path.write_text("\n".join(lines) + "\n")
        yield LogFile(f"process {kind}", kind, str(path), "switch 1")


def fill_tables(dynamodb: Any) -> None:
    """Put rows with more in them than they should have."""
    contact = f"sip:{NUMBER}:{PASSWORD}@192.0.2.5:5060;x={TOKEN}"
    target = {"group_id": 1, "resource": "gw", "region": "r"}
    change = {"table": "addresses"}
    rows: list[tuple[str, dict[str, Any]]] = [
        ("load_balancer_targets", {**target, "dst_uri": "sip:10.0.0.1:5060", "task_arn": f"arn:x/{ALL}"}),
        ("load_balancer_targets", {**target, "dst_uri": f"sip:{PASSWORD}@10.0.0.2", "resource": ALL, "region": ALL}),
        ("addresses", {"source_ip": "192.0.2.1", "group_id": 1}),
        ("addresses", {"source_ip": ALL, "group_id": 1}),
        (
            "subscribers",
            {"username": "user1"} | dict(zip(("ha1", "ha1_sha256", "ha1_sha512t256"), DIGESTS, strict=True)),
        ),
        ("domains", {"domain": "sip.example.org", "task_arn": ALL}),
        ("domains", {"domain": ALL}),
        ("media_proxies", {"socket": "udp:10.0.0.5:2223", "set_id": 0}),
        ("media_proxies", {"socket": f"udp:{PASSWORD}@10.0.0.5:2223", "set_id": 0}),
        ("registrations", {"username": "user1", "contact_id": DIGESTS[0], "contact": contact, "gateway": ALL}),
        ("registrations", {"username": ALL, "contact_id": "x", "contact": ALL, "received": ALL, "user_agent": ALL}),
        ("routing_changes", {**change, "seq": 0, "head": 2}),
        ("routing_changes", {**change, "seq": 1, "key": ALL, "operation": ALL}),
        ("routing_changes", {**change, "seq": 2, "key": DIGESTS[1], "operation": "put"}),
    ]
    names = {table.value: name for table, name in NAMES.names}
    for table, item in rows:
        row = {**item} if table == "routing_changes" else {**item, "password": PASSWORD, "note": ALL}
        dynamodb.put_item(TableName=names[table], Item=encode(row))


@pytest.fixture
def sources(dynamodb: Any, tmp_path: Path) -> Iterator[Sources]:
    fill_tables(dynamodb)
    sqs, cloudwatch = boto3.client("sqs"), boto3.client("logs")
    queue = sqs.create_queue(QueueName="dead-letters")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody=ALL)
    group, stream = "/aws/lambda/services", "stream"
    cloudwatch.create_log_group(logGroupName=group)
    cloudwatch.create_log_stream(logGroupName=group, logStreamName=stream)
    at = milliseconds()
    told = [
        json_line(location="x:1", service="s", message="message failed", level="ERROR"),
        json_line(location="x:2", service="s", message="row healed", level="WARNING"),
        f"[ERROR] {ALL}",
        EXCEPTION,
    ]
    cloudwatch.put_log_events(
        logGroupName=group, logStreamName=stream, logEvents=[{"timestamp": at, "message": text} for text in told]
    )
    report = {
        "healthy": True, "stale": False, "age_seconds": 0.1, "journal_lag": 0, "positions": {ALL: 1, "addresses": 2},
        "skipped": [ALL], "dropped": [ALL], "reloads_due": [ALL], "silent_event_sockets": [ALL], "media_proxies": [ALL],
        "errors": {ALL: ALL, "journal": ALL}, "password": PASSWORD, "contacts_waiting": ALL,
    }  # fmt: skip
    capacities = [{"region": "hydrogen", "capacity": 2, "password": PASSWORD}, {"region": ALL, "capacity": 1}]
    health, platform = Answers(report), Answers(capacities)
    management = Management(tmp_path / "mi.sock")
    yield Sources(
        region="ap-southeast-1",
        tables={table.value: name for table, name in NAMES.names},
        queues={"dead letters": queue},
        functions={"services function": "services"},
        platform_url=platform.url,
        gateways=(GatewaySource("client gateway", "client", f"{health.url}/health", str(tmp_path / "mi.sock")),),
        switches=(SwitchSource("switch 1", "10.0.0.1"),),
        logs=tuple(logs(tmp_path)),
    )
    management.close()
    for server in (health, platform):
        server.shutdown()
        server.server_close()


class Functions:
    """Says where a function logs."""

    def get_function_configuration(self, **_: str) -> dict[str, Any]:
        return {"LoggingConfig": {"LogGroup": "/aws/lambda/services"}}


async def test_no_secret_reaches_the_wire(sources: Sources, dynamodb: Any) -> None:
    functions: Any = Functions()
    clients = Clients(dynamodb, boto3.client("sqs"), functions, boto3.client("logs"))
    model = Model()
    sent = ""
    async with LiveServer(model, Watch(sources, clients, model)) as server, aiohttp.ClientSession() as browser:
        async with browser.get(f"{server.url}events") as answer, asyncio.timeout(60):
            while not everything_is_there(model):
                sent += (await answer.content.readuntil(b"\n\n")).decode()
        for path in ("", "events"):
            async with browser.get(server.url + path) as answer, asyncio.timeout(5):
                sent += (await answer.content.readuntil(b"\n\n")).decode()
                sent += (await answer.content.readuntil(b"\n\n")).decode() if path else await answer.text()
    found = [secret for secret in SECRETS if secret in sent]
    assert found == []
    # What may be seen was seen.
    for word in ("sip:10.0.0.1:5060", "192.0.2.66", "Gather", SID, "client gateway", "journal: failing", "step failed"):
        assert word in sent, word


def everything_is_there(model: Model) -> bool:
    rows = model.snapshot()
    names = ("targets", "media_proxies", "domains", "permissions", "registrations", "tables", "calls", "capacities")
    processes = {problem["process"] for problem in rows["problems"].values()}
    logs_are_read = len(processes) >= len(LogKind) and any(
        each["what"] == "row healed" for each in rows["events"].values()
    )
    gateway = rows["gateways"].get("client gateway", {"state": "", "calls": None})
    is_asked = gateway["state"] == "serving" and gateway["calls"] is not None
    switch = rows["switches"].get("switch 1", {})
    has_all = all(rows[name] for name in (*names, "queues")) and logs_are_read
    return has_all and is_asked and switch.get("sessions") == 7 and not rows["unread"]
