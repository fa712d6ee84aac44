"""`local/compose.yaml`, as docker compose itself reads it: whether all that it names is there and is understood."""

import importlib.util
import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from freeswitch_event_logger.settings import Settings as EventLoggerSettings
from local.compose.deploy import WRITTEN
from local.compose.settings import Settings as DeploySettings
from opensips_scheduler.settings import Settings as SchedulerSettings
from switch_app.settings import Settings as SwitchAppSettings
from tests.support import dockerfiles
from tests.support.dockerfiles import ROOT

FILE = ROOT / "local" / "compose.yaml"
GIVEN = {
    "NETWORK_PREFIX": "172.30.77",
    "HOST_ADDRESS": "192.0.2.7",
    "FS_EVENT_SOCKET_PASSWORD": "event-socket",
    "AHN_HTTP_PASSWORD": "http",
    "CALL_PLATFORM_PASSWORD": "platform",
    "SIP_USERNAME": "phone",
    "SIP_PASSWORD": "sip",
}
SHELL = {
    "public-gateway": "gateway",
    "client-gateway": "gateway",
    "media-proxy": "media_proxy",
    "switch-webserver": "nginx",
    "freeswitch": "freeswitch",
}
"""Services whose container is a script's, by the folder that it is in."""


def docker_compose() -> Path:
    found = importlib.util.find_spec("compose")
    if found is None or found.origin is None:
        pytest.skip("docker compose is not installed; it comes with tests/requirements.txt on x86-64 Linux")
    return Path(found.origin).parent / "docker-compose"


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What docker compose makes of the file; it knows the schema of the compose specification."""
    settings = tmp_path_factory.mktemp("compose") / "env"
    settings.write_text("".join(f"{name}={value}\n" for name, value in GIVEN.items()))
    command = [docker_compose(), "--file", FILE, "--env-file", settings, "--profile", "*", "config", "--format", "json"]
    read = subprocess.run(command, env={}, capture_output=True, text=True, check=False)
    assert read.returncode == 0, read.stderr
    # A variable that has no value is a warning, and an empty text.
    assert "is not set" not in read.stderr.replace("SIGNALWIRE_TOKEN", "")
    return dict(json.loads(read.stdout))


@pytest.fixture
def services(system: dict[str, Any]) -> dict[str, Any]:
    return dict(system["services"])


def environment(service: Mapping[str, Any]) -> dict[str, str]:
    """Return what a container is told, with what it reads from the deployment."""
    written = dict.fromkeys(WRITTEN, "deployed") if "/deployment/environment" in str(service["entrypoint"]) else {}
    return {**written, **cast("dict[str, str]", service.get("environment") or {})}


def test_every_image_is_built_from_what_is_here(services: dict[str, Any]) -> None:
    images = (ROOT / "containers" / "builder.sh").read_text()
    for name, service in services.items():
        build = service["build"]
        path = Path(build["context"]) / build.get("dockerfile", "Dockerfile")
        file = dockerfiles.read(path)
        assert file.context == Path(build["context"]), name
        target = build.get("target", "")
        assert target in {stage.name for stage in file.final}, name
        image = service["image"].removeprefix("somleng-switch/").removesuffix(":latest")
        if "containers" in path.parts:
            folder = path.parent.relative_to(ROOT)
            assert re.search(rf"echo {image} {folder} \S+ {target or '-'}$", images, re.MULTILINE), name
        else:
            assert image == f"local-{target}"


def test_all_the_products_images_run(services: dict[str, Any]) -> None:
    """All but the operator's command line, which serves nobody."""
    listed = re.findall(r"^    echo ([a-z-]+) ", (ROOT / "containers" / "builder.sh").read_text(), re.MULTILINE)
    assert set(listed) - {"operator"} <= {service["image"].split("/")[1].split(":")[0] for service in services.values()}


def test_what_is_told_can_be_read(services: dict[str, Any]) -> None:
    """By the containers' own readers; a wrong or missing setting raises."""

    def address() -> str:
        return "172.30.77.40"

    SwitchAppSettings.from_environment(environment(services["switch-app"]), address)
    EventLoggerSettings.from_environment(environment(services["freeswitch-event-logger"]))
    for kind in ("public", "client"):
        scheduler = SchedulerSettings.from_environment(environment(services[f"{kind}-gateway-scheduler"]))
        gateway = environment(services[f"{kind}-gateway"])
        assert scheduler.socket == f"udp:{gateway['SIP_LISTEN_ADDRESS']}:{gateway.get('SIP_PORT', '5060')}"
        assert scheduler.kind.value == kind
    deploy = DeploySettings.from_environment(environment(services["deploy"]))
    assert (deploy.username, deploy.password) == ("phone", "sip")
    assert deploy.realm == environment(services["client-gateway"])["SIP_REALM"]


@pytest.mark.parametrize(("service", "folder"), SHELL.items())
def test_what_a_script_is_told_it_reads(service: str, folder: str, services: dict[str, Any]) -> None:
    told = environment(services[service])
    scripts = "\n".join(path.read_text() for path in (ROOT / "containers" / folder).glob("*.sh"))
    assert not [name for name in told if not re.search(rf"\b{name}\b", scripts)]
    required = {
        "gateway": {"SIP_ADVERTISED_ADDRESS"},
        "media_proxy": {"ADVERTISED_ADDRESS"},
        "nginx": set(),
        "freeswitch": {"FS_NAT_GATEWAY_IP", "FS_NAT_INSTANCE_IP", "FS_EVENT_SOCKET_PASSWORD"},
    }
    assert required[folder] <= set(told)


def test_no_container_is_told_what_it_does_not_read(services: dict[str, Any]) -> None:
    sources = {
        "switch-app": ("containers/switch_app/switch_app",),
        "freeswitch-event-logger": (
            "containers/freeswitch_event_logger/freeswitch_event_logger",
            "containers/switch_app",
        ),
        "public-gateway-scheduler": ("containers/opensips_scheduler/opensips_scheduler",),
        "client-gateway-scheduler": ("containers/opensips_scheduler/opensips_scheduler",),
        "deploy": ("local/compose", "tests/fakes"),
        "call-platform": ("local/compose", "tests/fakes"),
        "customer": ("local/compose",),
    }
    for name, folders in sources.items():
        text = "\n".join(path.read_text() for folder in folders for path in (ROOT / folder).rglob("*.py"))
        for variable in services[name].get("environment", {}):
            assert variable.startswith("AWS_") or re.search(rf"[\"']{variable}[\"']", text), (name, variable)


def test_containers_meet(services: dict[str, Any]) -> None:
    """Who is told an address is told one that somebody has."""
    alone = {name: service for name, service in services.items() if "network_mode" not in service}
    addresses = [service["networks"]["default"]["ipv4_address"] for service in alone.values()]
    # None is left to be drawn by lot: it might be one that another is to have.
    own = set(addresses)
    assert len(own) == len(addresses)
    nobody = {"172.30.77.0", "172.30.77.50"}  # the network, and where a carrier would be
    told = set(re.findall(r"172\.30\.77\.\d+", json.dumps(services)))
    assert told <= own | nobody
    switch = [name for name, service in services.items() if service.get("network_mode") == "service:switch-webserver"]
    assert sorted(switch) == ["freeswitch", "freeswitch-event-logger", "switch-app"]


def test_every_service_waits_for_health_and_has_a_check(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert name == "deploy" or service["healthcheck"]["test"][0] == "CMD", name
        for other, how in (service.get("depends_on") or {}).items():
            wanted = {"service_completed_successfully"} if other == "deploy" else {"service_healthy", "service_started"}
            assert how["condition"] in wanted, (name, other)
        # The check of a container is the one of its image.
        if name != "deploy" and "containers" in service["build"]["context"] + service["build"].get("dockerfile", ""):
            path = Path(service["build"]["context"]) / service["build"].get("dockerfile", "Dockerfile")
            (check,) = dockerfiles.read(path).final[0].all("HEALTHCHECK")
            assert service["healthcheck"]["test"] == ["CMD", *json.loads(check.rest.removeprefix("CMD "))], name


def test_volumes_are_where_the_images_have_them(services: dict[str, Any]) -> None:
    for name, service in services.items():
        if not service["build"].get("dockerfile", "containers").startswith("containers"):
            continue
        path = Path(service["build"]["context"]) / service["build"].get("dockerfile", "Dockerfile")
        declared = {word for volume in dockerfiles.read(path).final[0].all("VOLUME") for word in volume.words}
        mounted = {volume["target"] for volume in service.get("volumes") or [] if volume["type"] == "volume"}
        assert mounted - {"/deployment"} == declared, name


def test_only_phones_and_carriers_reach_it_from_outside(services: dict[str, Any]) -> None:
    outside = {
        (name, port["host_ip"], port["published"], port["protocol"])
        for name, service in services.items()
        for port in service.get("ports") or []
        if port["host_ip"] != "127.0.0.1"
    }
    address = GIVEN["HOST_ADDRESS"]
    media = {("media-proxy", address, str(port), "udp") for port in range(30_000, 30_100)}
    signalling = {
        (gateway, address, port, protocol)
        for gateway, port in (("client-gateway", "5060"), ("public-gateway", "5070"), ("public-gateway", "5080"))
        for protocol in ("udp", "tcp")
    }
    assert outside == signalling | media
    # A gateway tells the port that it listens on.
    public = environment(services["public-gateway"])
    assert (public["SIP_ADVERTISED_ADDRESS"], public["SIP_PORT"]) == (address, "5070")
    assert all(port["target"] == int(port["published"]) for port in services["public-gateway"]["ports"])
    proxy = environment(services["media-proxy"])
    assert (proxy["MEDIA_PORT_MIN"], proxy["MEDIA_PORT_MAX"]) == ("30000", "30099")


def test_a_switch_is_what_a_profile_adds(services: dict[str, Any]) -> None:
    chosen = {name for name, service in services.items() if service.get("profiles") == ["switch"]}
    assert chosen == {"switch-webserver", "freeswitch", "switch-app", "freeswitch-event-logger"}
    for name, service in services.items():
        if name not in chosen:
            assert not chosen & set(service.get("depends_on") or {}), name


def test_no_secret_is_in_the_file(system: dict[str, Any]) -> None:
    text = FILE.read_text()
    for name in GIVEN:
        if name.endswith("PASSWORD"):
            assert text.count(f"PASSWORD: ${{{name}}}") >= 1
            assert not re.search(rf"{name}:(?! \$\{{)", text)
    assert system["secrets"]["signalwire_token"]["environment"] == "SIGNALWIRE_TOKEN"
    assert "/local/.env" in (ROOT / ".gitignore").read_text().splitlines()
