"""The servers of a local run: an AWS emulator, another for ECS and EC2, and a call platform to tell capacities to.

ministack emulates all of AWS, but runs ECS tasks as Docker containers. moto's ECS keeps tasks on paper, which is all
that the control plane asks about; so ECS and EC2 are moto's.
"""

import json
import os
import socket
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from local.errors import LocalError
from local.processes import Server
from local.run_directory import ROOT

HOST = "127.0.0.1"
REGION = "ap-southeast-1"
WITHOUT_PROXY = dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost")
"""No proxy reaches what runs here, whatever this machine uses for the rest of the world."""
ACCOUNT = "000000000000"
_WITHOUT_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_EMULATOR_PYTHON = ROOT / ".venv-emulator" / "bin" / "python"
_FORGOTTEN = ("AWS_", "LAMBDA_", "MINISTACK_", "LOCALSTACK_", "PYTHONPATH", "PYTHONHOME", "SERVICES")


def free_port() -> int:
    """Return a port of this machine that nothing listens on."""
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def base_environment() -> dict[str, str]:
    """Return this process's environment without what could make a child talk to a real AWS account."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FORGOTTEN)}
    return kept | WITHOUT_PROXY


def credentials() -> dict[str, str]:
    """Return the environment of a client: credentials that no real account takes."""
    return {
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def aws_emulator(directory: Path, port: int) -> Server:
    """Return ministack, all of whose files lie in the run's directory.

    Raises:
        LocalError: when it is not installed.

    """
    if not _EMULATOR_PYTHON.exists():
        raise LocalError(f"the emulator is not installed at {_EMULATOR_PYTHON.parent.parent}; run `make demo`")
    scratch = directory / "emulator"
    scratch.mkdir(exist_ok=True)
    environment = {
        **base_environment(),
        **credentials(),
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": HOST,
        "MINISTACK_REGION": REGION,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "S3_DATA_DIR": str(scratch / "s3"),
        "STATE_DIR": str(scratch / "state"),
        "TMPDIR": str(scratch),
    }
    url = f"http://{HOST}:{port}/_ministack/health"
    command = [str(_EMULATOR_PYTHON), "-m", "ministack"]
    return Server("emulator", command, environment, directory, lambda: answers(url))


def ecs_emulator(directory: Path, port: int, task_network: str = "127.0.1.0/24") -> Server:
    """Return moto's server, used for ECS and EC2; its tasks get the addresses of a network."""
    own = {"MOTO_EC2_LOAD_DEFAULT_AMIS": "false", "PYTHONPATH": str(ROOT)}
    environment = {**base_environment(), **credentials(), **own}
    command = [sys.executable, "-m", "local.task_addresses", task_network, "-H", HOST, "-p", str(port)]
    url = f"http://{HOST}:{port}/moto-api/data.json"
    return Server("ecs-emulator", command, environment, directory, lambda: answers(url))


def keep_tasks_running(port: int) -> None:
    """Have moto leave a task as it is when it is described; by itself it moves it on towards its end."""
    body = {"model_name": "ecs::task", "transition": {"progression": "manual", "times": 1_000_000}}
    request = urllib.request.Request(
        f"http://{HOST}:{port}/moto-api/state-manager/set-transition",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=5):  # noqa: S310
        pass


def call_platform(directory: Path, port: int, credentials: Mapping[str, str]) -> Server:
    """Return a call platform that lets in CALL_PLATFORM_USERNAME with CALL_PLATFORM_PASSWORD, as `credentials` say."""
    environment = {**base_environment(), **credentials, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.fakes.call_platform", str(port)]
    url = f"http://{HOST}:{port}/capacities"
    return Server("call-platform", command, environment, directory, lambda: answers(url))


def answers(url: str) -> bool:
    """Tell whether a server of this machine answers 200 within two seconds."""
    try:
        with _WITHOUT_PROXY.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
