"""The live page of a local run: where it reads, and the process that serves it."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from local import servers
from local.live.sources import GatewaySource, LogFile, LogKind, Sources, SwitchSource
from local.processes import Server
from local.run_directory import ROOT

if TYPE_CHECKING:
    from local.system import LocalSystem
    from local.voice.system import VoiceSystem

_SOURCES = "live.json"
_QUEUES = {
    "jobs": "QueueUrl",
    "dead letters": "DeadLetterQueueUrl",
    "failed events": "ServicesFailuresQueueUrl",
    "failed recordings": "S3MpegFailuresQueueUrl",
}
_FUNCTIONS = {"services function": "ServicesFunction", "s3_mpeg function": "S3MpegFunction"}
_PATH = os.pathsep.join(str(ROOT / part) for part in (".", "layers/routing/python", "containers/opensips_scheduler"))
_KINDS = {
    "-app": LogKind.SWITCH_APP,
    "-event-logger": LogKind.EVENT_LOGGER,
    "-freeswitch": LogKind.FREESWITCH,
    "-gateway": LogKind.OPENSIPS,
    "-scheduler": LogKind.SCHEDULER,
}
"""By how the names of processes end."""


def write_sources(system: "LocalSystem", voice: "VoiceSystem | None" = None) -> Path:
    """Write down where the page reads, and return the file; a page that is served reads it again."""
    path = system.run.path / _SOURCES
    health = {} if voice is None else {each.name: each.health_url for each in voice.containers}
    Sources(
        region=servers.REGION,
        endpoint=system.endpoint,
        tables={table.value: name for table, name in system.table_names.names},
        queues={name: system.outputs[output] for name, output in _QUEUES.items()},
        functions={name: system.outputs[output] for name, output in _FUNCTIONS.items()},
        platform_url=system.platform_url,
        gateways=() if voice is None else tuple(_gateways(voice, health)),
        switches=() if voice is None else tuple(SwitchSource(task.name, task.address) for task in voice.switches),
        logs=tuple(_logs(system)),
    ).write(path)
    return path


def _gateways(voice: "VoiceSystem", health: dict[str, str]) -> Iterator[GatewaySource]:
    for gateway in (voice.public_gateway, voice.client_gateway):
        url = health.get(f"{gateway.kind}-scheduler", "")
        yield GatewaySource(f"{gateway.kind} gateway", gateway.kind, url, str(gateway.socket))


def _logs(system: "LocalSystem") -> Iterator[LogFile]:
    for server in system.supervisor.servers:
        kind = LogKind.EMULATOR if server.name == "emulator" else LogKind.OTHER
        switch = None
        for end, known in _KINDS.items():
            if server.name.endswith(end):
                kind, switch = known, server.name.removesuffix(end)
        yield LogFile(server.name, kind, str(server.log), switch)


def live_page(directory: Path, port: int, sources: Path, environment: dict[str, str]) -> Server:
    """Return the process that serves the page on a port of 127.0.0.1."""
    command = [sys.executable, "-m", "local.live", str(sources), "--port", str(port)]
    own = {**servers.base_environment(), **environment, "PYTHONPATH": _PATH}
    url = f"http://{servers.HOST}:{port}/"
    return Server("live-page", command, own, directory, lambda: servers.answers(url))
