"""`system.json` in the run's directory: where everything of a running system is, for other programs of this machine.

No password and no digest is in it.
"""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local.voice.system import VoiceSystem

NAME = "system.json"


def write(voice: "VoiceSystem") -> None:
    """Write down where everything is, in place of what was written before."""
    path = voice.system.run.path / NAME
    scratch = path.with_suffix(".new")
    scratch.write_text(json.dumps(_of(voice), indent=2))
    scratch.replace(path)


def _of(voice: "VoiceSystem") -> dict[str, Any]:
    system = voice.system
    health = {container.name: container.health_url for container in voice.containers if container.health_url}
    servers = {
        server.name: {"log": str(server.log), "health_url": health.get(server.name)}
        for server in system.supervisor.servers
    }
    gateways = (voice.public_gateway, voice.client_gateway)
    return {
        "directory": str(system.run.path),
        "aws": {"endpoint": system.endpoint, "environment": system.environment},
        "platform": {"url": system.platform_url, "told": f"{system.platform_url}/desk/told/"},
        "customer": {"url": voice.customer.url, "documents": str(voice.customer.directory)},
        "tables": {table.value: name for table, name in system.table_names.names},
        "bucket": system.bucket,
        "queue": system.outputs["QueueUrl"],
        "functions": {name: system.outputs[name] for name in ("ServicesFunction", "S3MpegFunction")},
        "gateways": {
            gateway.kind: {
                "address": gateway.address,
                "management_socket": str(gateway.socket),
                "state": str(gateway.state),
            }
            for gateway in gateways
        },
        "media_proxy": {"private": voice.media_proxy, "public": voice.media_proxy_public, "control_port": 2223},
        "switches": {
            task.name: {"address": task.address, "url": task.url, "health_url": f"{task.url}/health_checks"}
            for task in voice.switches
        },
        "processes": servers,
    }
