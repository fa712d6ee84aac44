"""What a task definition sets is what its containers read: every setting that they need, and none that nobody knows."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cdk.images import ImageName
from tests.cdk.conftest import Templates
from tests.cdk.permissions import text
from tests.support.container_settings import START
from tests.support.dockerfiles import ROOT
from tests.support.image_list import image_folders

ADDRESS = "203.0.113.7"
ADDRESSES = ("FS_NAT_GATEWAY_IP", "FS_NAT_INSTANCE_IP", "SIP_ADVERTISED_ADDRESS", "ADVERTISED_ADDRESS")
"""What is an IP address once it is deployed, or is asked of EC2 when the container starts."""

NEEDS_NO_SETTING = (ImageName.SWITCH_WEBSERVER, ImageName.OPERATOR)
"""nginx has defaults for all of its settings, and no task runs the operator's command line."""

STACKS_WITH_TASKS = ("staging", "production")


def containers(templates: Templates) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield each container's stack, image and definition."""
    for stack, template in templates.items():
        for definition in template.properties("AWS::ECS::TaskDefinition"):
            for container in definition["ContainerDefinitions"]:
                image = text(container["Image"])
                yield stack, image.rpartition("/")[2].partition(":")[0], container


def environment(container: dict[str, Any]) -> dict[str, str]:
    """Return a container's environment as it may be once deployed."""
    given = {}
    for variable in container.get("Environment", []):
        name, value = variable["Name"], variable["Value"]
        known = value if isinstance(value, str) and value != "instance-metadata" else None
        if known is None:
            known = ADDRESS if name in ADDRESSES else text(value)
        given[name] = known
    return given | {secret["Name"]: "secret" for secret in container.get("Secrets", [])}


@pytest.mark.parametrize("name", STACKS_WITH_TASKS)
def test_every_container_starts_with_what_it_is_given_and_reads_all_of_it(
    synthesise: Callable[[str], Templates], name: str, tmp_path: Path
) -> None:
    started = set()
    for number, (stack, image, container) in enumerate(containers(synthesise(name))):
        given = environment(container)
        state = tmp_path / str(number)
        state.mkdir()
        read = START[image](given, state)
        assert set(given) <= read, f"{image} in {stack} does not read {sorted(set(given) - read)}"
        started.add(image)
    assert {"freeswitch", "switch-app", "switch-webserver", "freeswitch-event-logger"} <= started


@pytest.mark.parametrize("image", [each for each in ImageName if each not in NEEDS_NO_SETTING])
def test_an_image_that_is_given_nothing_says_what_it_needs(image: ImageName, tmp_path: Path) -> None:
    """Without this, a program that reads nothing would pass above."""
    with pytest.raises(Exception, match=r"[A-Z]+_[A-Z_]+ (is not set|is '')"):
        START[image]({}, tmp_path)


@pytest.mark.parametrize("name", STACKS_WITH_TASKS)
def test_secrets_come_from_secrets_manager_and_are_in_no_environment(
    synthesise: Callable[[str], Templates], name: str
) -> None:
    for _, image, container in containers(synthesise(name)):
        for variable in container.get("Environment", []):
            words = ("PASSWORD", "SECRET", "TOKEN", "KEY")
            assert variable["Name"].endswith(("_PARAMETER", "_REGION")) or not any(
                word in variable["Name"] for word in words
            ), (image, variable["Name"])
        for secret in container.get("Secrets", []):
            assert f":secret:somleng-switch/{name}/" in text(secret["ValueFrom"])


@pytest.mark.parametrize("name", STACKS_WITH_TASKS)
def test_a_health_check_is_the_images_own(synthesise: Callable[[str], Templates], name: str) -> None:
    """ECS does not read it from the image, so the task definition repeats it."""
    for _, image, container in containers(synthesise(name)):
        command = container["HealthCheck"]["Command"]
        assert command[0] == "CMD"
        assert command[1:] == health_check_of(image)
        check = {key: container["HealthCheck"][key] for key in ("Interval", "Timeout", "Retries")}
        assert check == {"Interval": 10, "Timeout": 5, "Retries": 10}


def health_check_of(image: str) -> list[str]:
    """Return the command of an image's Dockerfile."""
    dockerfile = (ROOT / image_folders()[image] / "Dockerfile").read_text()
    (command,) = set(re.findall(r"^HEALTHCHECK .* CMD (\[.*\])$", dockerfile, re.MULTILINE))
    return list(json.loads(command))
