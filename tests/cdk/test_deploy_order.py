"""The order of a deployment knows every stack that there is."""

from collections.abc import Callable
from pathlib import Path

from tests.cdk.conftest import Templates
from tests.support.deploy_script import deploy


def test_every_stack_has_a_place(synthesise: Callable[[str], Templates], tmp_path: Path) -> None:
    stacks = sorted(f"somleng-switch-staging-{part}" for part in synthesise("staging"))
    ended, steps = deploy(tmp_path, stacks)
    assert ended.returncode == 0, ended.stderr
    assert sorted(stack for step in steps for stack in step) == stacks
