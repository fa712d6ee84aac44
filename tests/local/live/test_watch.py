"""What is read is what the file of sources names, also when that changes; a source that fails is named."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.live.clients import Clients
from local.live.model import Model
from local.live.sources import GatewaySource, LogFile, LogKind, Sources, SwitchSource
from local.live.sources_file import SourcesFile
from local.live.watch import Watch

UUID = "7a6fb2bd-47ce-42fd-bfa9-8018a186bd88"
NOBODY = "http://127.0.0.1:1"


def switch(directory: Path, name: str) -> tuple[SwitchSource, LogFile]:
    path = directory / f"{name}.log"
    line = {"level": "INFO", "logger": "switch_app.interpreter", "message": "verb begins", "verb": "Say"}
    uuid = f"{name[-1] * 8}{UUID[8:]}"
    path.write_text(json.dumps({**line, "time": "2026-11-25T00:44:28.188Z", "call_uuid": uuid}) + "\n")
    return SwitchSource(name, f"10.0.0.{name[-1]}"), LogFile(f"{name}-app", LogKind.SWITCH_APP, str(path), name)


async def until(is_so: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not is_so():
            await asyncio.sleep(0.05)


async def test_switches_and_gateways_that_come_and_go_are_followed(tmp_path: Path) -> None:
    (one, log_one), (two, log_two) = switch(tmp_path, "switch-1"), switch(tmp_path, "switch-2")
    gateway = GatewaySource("public gateway", "public", f"{NOBODY}/health")
    first = Sources("ap-southeast-1", platform_url=NOBODY, switches=(one,), logs=(log_one,), gateways=(gateway,))
    path = tmp_path / "sources.json"
    first.write(path)
    file = SourcesFile(path)
    model = Model()
    clients: Any = None  # nothing of AWS is named
    follows = asyncio.create_task(Watch(file.read(), clients, model, file.changed).run())
    rows = model.snapshot
    await until(lambda: rows()["calls"] and rows()["gateways"] and rows()["unread"])
    assert [call["switch"] for call in rows()["calls"].values()] == ["switch-1"]
    assert rows()["gateways"]["public gateway"]["state"] == "not reached"
    assert rows()["unread"] == {"call platform": {"source": "call platform", "error": "URLError"}}
    replace(first, platform_url=None, switches=(two,), logs=(log_two,), gateways=()).write(path)
    await until(lambda: list(rows()["switches"]) == ["switch-2"] and len(rows()["calls"]) == 2)
    assert (rows()["gateways"], rows()["unread"]) == ({}, {})
    # What a process that is no longer named wrote last is read all the same.
    with Path(log_one.path).open("a") as log:
        end = {"message": "call ended", "cause": "NORMAL_CLEARING", "call_uuid": f"11111111{UUID[8:]}"}
        log.write(json.dumps({"level": "INFO", "logger": "switch_app.interpreter", **end}) + "\n")
    await until(lambda: any(call["cause"] == "NORMAL_CLEARING" for call in rows()["calls"].values()))
    path.write_text("half of a")
    await asyncio.sleep(0.7)
    assert not follows.done()
    follows.cancel()
    await asyncio.gather(follows, return_exceptions=True)


def test_sources_are_read_as_they_were_written(tmp_path: Path) -> None:
    (source, log) = switch(tmp_path, "switch-1")
    gateway = GatewaySource("public gateway", "public", f"{NOBODY}/health", "/run/mi.sock")
    sources = Sources(
        "ap-southeast-1",
        NOBODY,
        {"addresses": "table"},
        {"jobs": NOBODY},
        {"services function": "services"},
        NOBODY,
        (gateway,),
        (source,),
        (log,),
    )
    sources.write(tmp_path / "sources.json")
    assert Sources.read(tmp_path / "sources.json") == sources


@pytest.mark.parametrize("text", ["", "[]", '{"regions": 1}', '{"region": "r", "logs": [{"process": "x"}]}'])
def test_what_is_no_file_of_sources_is_an_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "sources.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r".+"):
        SourcesFile(path).read()


def test_clients_are_made_of_the_sources(aws_environment: None) -> None:
    clients = Clients.of(Sources("ap-southeast-1", "http://127.0.0.1:4566"))
    assert clients.dynamodb.meta.endpoint_url == clients.logs.meta.endpoint_url == "http://127.0.0.1:4566"
