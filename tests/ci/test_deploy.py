"""The order of a deployment, with a CDK in its place that says what it was told."""

from pathlib import Path

import pytest

from tests.support.deploy_script import deploy

PARTS = (
    "client-gateway",
    "data",
    "events-us-east-1",
    "images",
    "images-us-east-1",
    "media-proxy",
    "network",
    "network-us-east-1",
    "observability",
    "peering",
    "peering-us-east-1",
    "public-gateway",
    "secrets",
    "services",
    "switch",
    "switch-us-east-1",
)


def named(*parts: str) -> list[str]:
    return [f"somleng-switch-staging-{part}" for part in parts]


def test_what_is_asked_comes_before_who_asks(tmp_path: Path) -> None:
    ended, steps = deploy(tmp_path, named(*PARTS))
    assert ended.returncode == 0, ended.stderr
    assert steps == [
        named(
            "images",
            "images-us-east-1",
            "secrets",
            "network",
            "network-us-east-1",
            "peering",
            "peering-us-east-1",
            "data",
        ),
        named("services", "events-us-east-1"),
        named("media-proxy", "switch", "switch-us-east-1"),
        named("client-gateway", "public-gateway"),
        named("observability"),
    ]


def test_a_failure_ends_it(tmp_path: Path) -> None:
    ended, steps = deploy(tmp_path, named(*PARTS), fails="somleng-switch-staging-services")
    assert ended.returncode == 5
    assert len(steps) == 1


@pytest.mark.parametrize("stack", ["somleng-switch-staging-billing", "somleng-switch-staging-switch-board"])
def test_a_stack_without_a_place_is_named_before_anything_is_deployed(stack: str, tmp_path: Path) -> None:
    ended, steps = deploy(tmp_path, [*named("data"), stack])
    assert ended.returncode == 1
    assert f"the stack '{stack}' has no place in the order" in ended.stderr
    assert steps == []


def test_an_environment_without_stacks_is_an_error(tmp_path: Path) -> None:
    ended, _ = deploy(tmp_path, [])
    assert ended.returncode == 1
    assert "the environment 'staging' has no stacks" in ended.stderr
