"""Every step of the demo, and what can be done with one that is kept."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from local.processes import Identity
from local.run_directory import ROOT
from local.voice.programs import NatTools, missing
from tests.support.demo_run import (
    devices_left,
    mentioning,
    nat_devices,
    output_of,
    processes_of_runs,
    start,
    stop,
    wait_for,
)
from tests.support.queue_events import job

pytestmark = pytest.mark.e2e

CONTROL_PLANE_STEPS, VOICE_STEPS = 17, 16


def get(url: str) -> tuple[int, bytes]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=5) as answer:
        return answer.status, answer.read()


def operate(exports: str, *arguments: str) -> Any:
    """Give a command of the operator's command line to a run, and return what it says."""
    path = os.pathsep.join(("layers/routing/python", "containers/switch_operator", str(ROOT)))
    command = shlex.join([sys.executable, "-m", "switch_operator", "--environment", "local", "--json", *arguments])
    script = f"{exports} PYTHONPATH={path} NO_PROXY=127.0.0.1; {command}"
    done = subprocess.run(["sh", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return json.loads(done.stdout)


def leave_dead_letter(exports: str, body: str) -> None:
    """Put a message into a run's dead-letter queue."""
    client = "import boto3, sys; ssm, sqs = boto3.client('ssm'), boto3.client('sqs'); "
    client += "name = '/somleng-switch/local/dead_letter_queue_url'; "
    client += "url = ssm.get_parameter(Name=name)['Parameter']['Value']; "
    client += "sqs.send_message(QueueUrl=url, MessageBody=sys.argv[1])"
    script = f"{exports} NO_PROXY=127.0.0.1; {shlex.join([sys.executable, '-c', client, body])}"
    subprocess.run(["sh", "-c", script], capture_output=True, check=True)


def test_every_step_comes_to_what_it_should_and_what_is_kept_can_be_used_and_stopped(home: Path) -> None:
    demo = start(home, "--keep")
    wait_for("the end of the steps", lambda: demo.poll() is not None or "make stop" in output_of(home), 280)
    output = output_of(home)
    assert demo.poll() is None, output
    lines = [line.split(maxsplit=1) for line in output.splitlines()]
    numbers = [line[0] for line in lines if line and line[0].isdecimal()]
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
    calls = not missing(os.environ)
    assert len(numbers) == CONTROL_PLANE_STEPS + (VOICE_STEPS if calls else 0)
    assert "All steps passed" in output
    assert "FAILED" not in output
    for program in missing(os.environ):
        assert f"{program.name}: {program.how}" in output
    processes = processes_of_runs(home)
    assert all(process.is_alive() for process in processes)
    (exports,) = [line.strip() for line in output.splitlines() if line.strip().startswith("export ")]
    (command,) = [line.strip() for line in output.splitlines() if re.match(r" +curl \S+/capacities", line)]
    client = "import boto3; print(len(boto3.client('dynamodb').list_tables()['TableNames']))"
    script = f'{exports}; {sys.executable} -c "{client}"; {command}'
    used = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    tables, capacities = used.splitlines()
    assert tables == "7"
    assert {"region": "helium", "capacity": 1} in json.loads(capacities)
    (url,) = re.findall(r"open (http://\S+) and watch", output)
    assert what_the_page_shows(url, calls=calls)["capacities"]["helium"]["capacity"] == 1
    an_operated_system(exports)
    if calls:
        assert bool(nat_devices(home)) == ("(masqueraded)" in output) == (NatTools().reason_not() is None)
        a_running_system(home, {process.name: process for process in processes})
    assert "is ended" in stop(home)
    assert demo.wait(5) == 130
    assert [process.is_alive() for process in processes] == [False] * len(processes)
    assert mentioning(home) == []
    assert devices_left(home) == set()


def an_operated_system(exports: str) -> None:
    """Check it, and send a dead letter again, by the operator's command line."""
    states = {each["what"]: each["state"] for each in operate(exports, "check")["findings"]}
    assert [states[what] for what in ("tables", "journal", "dead letters", "reconcile", "tasks")] == ["ok"] * 5
    leave_dead_letter(exports, job("CreateOpenSIPSPermissionJob", "203.0.113.7", {"group_id": 1}))
    (sent,) = operate(exports, "dead-letters", "redrive", "--all", "--yes")["dead_letters"]
    assert sent["fate"] == "sent again"

    # The function of the emulated Lambda is told by the emulated queue, the message's attribute included.
    def permitted() -> list[str]:
        return [each["source_ip"] for each in operate(exports, "permissions", "list")["addresses"]]

    wait_for("the permission", lambda: "203.0.113.7" in permitted(), 15)


def what_the_page_shows(url: str, *, calls: bool) -> dict[str, Any]:
    """Return the live page's rows, and look at what the demo has left in them."""
    assert b"SomlengSWITCH" in get(url)[1]
    with urllib.request.urlopen(f"{url}events", timeout=5) as answer:
        lines = (line.decode() for line in answer)
        rows: dict[str, Any] = json.loads(next(line for line in lines if line.startswith("data: "))[6:])["rows"]
    assert {"load_balancer_targets", "registrations"} < set(rows["tables"])
    assert {event["source"] for event in rows["events"].values()} >= {"journal"}
    assert any(problem["process"] == "s3_mpeg function" for problem in rows["problems"].values())
    if calls:
        assert [gateway["state"] for gateway in rows["gateways"].values()] == ["serving", "serving"]
        assert list(rows["switches"]) == ["switch-2"]
        ended = rows["calls"].values()
        assert {call["stage"] for call in ended} == {"ended"}
        assert any(call["gateway"] == "public gateway" and "Pause" in call["verbs"] for call in ended)
        assert any(user["username"] == "user1" for user in rows["registrations"].values())
    return rows


def a_running_system(home: Path, processes: dict[str, Identity]) -> None:
    """Find everything where the run says that it is, secrets nowhere, and a process that is killed started again."""
    (path,) = home.glob("run-*/system.json")
    facts: dict[str, Any] = json.loads(path.read_text())
    assert set(facts["processes"]) == set(processes)
    for process in facts["processes"].values():
        assert Path(process["log"]).is_file()
        if process["health_url"]:
            assert get(process["health_url"])[0] == 200
    (switch,) = facts["switches"].values()
    assert b"freeswitch: ok" in get(switch["health_url"])[1]
    assert all(Path(gateway["management_socket"]).is_socket() for gateway in facts["gateways"].values())
    assert json.loads(get(facts["platform"]["told"] + "refused")[1]) == []
    settings = Path(f"/proc/{processes['switch-2-app'].pid}/environ").read_text().split("\0")
    secrets = [line.partition("=")[2] for line in settings if re.match(r"\w+_PASSWORD=", line)]
    assert len(secrets) == 2
    assert not any(secret in path.read_text() + output_of(home) for secret in secrets)

    killed = processes["customer"]
    os.kill(killed.pid, signal.SIGKILL)
    wait_for("the customer's server again", lambda: now(home, "customer").pid != killed.pid, 5)
    wait_for("the report", lambda: "customer ended with status -9" in output_of(home), 5)
    wait_for("the new one to be alive", lambda: now(home, "customer").is_alive(), 5)


def now(home: Path, name: str) -> Identity:
    return next(process for process in processes_of_runs(home) if process.name == name)
