"""The demo as a user runs it: with calls where the programs for them are installed, and without."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.processes import Identity
from local.run_directory import ROOT
from local.voice.programs import NatTools, missing
from tests.support.queue_events import job

pytestmark = pytest.mark.e2e

CONTROL_PLANE_STEPS, VOICE_STEPS = 17, 16
_PATH = os.pathsep.join(
    ("layers/routing/python", *(f"containers/{name}" for name in ("opensips_scheduler", "switch_app")))
)


@pytest.fixture
def home() -> Iterator[Path]:
    """Where runs are kept: a short path, since sockets lie below it. Nothing of a run may be left there."""
    path = Path(tempfile.mkdtemp(prefix="demo-"))
    yield path
    left = list(path.iterdir())
    for run in path.glob("run-*/processes.json"):  # of a test that failed
        Identity.from_json(json.loads(run.read_text())["owner"]).end_alone(20)
    stop(path)
    shutil.rmtree(path)
    (path.parent / f"{path.name}.out").unlink(missing_ok=True)
    assert left == []


def start(home: Path, *arguments: str, settings: dict[str, str] | None = None) -> "subprocess.Popen[bytes]":
    """Start the demo, its runs kept below `home`."""
    with (home.parent / f"{home.name}.out").open("w") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "local.demo", *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": _PATH, "SOMLENG_SWITCH_LOCAL": str(home), **(settings or {})},
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def output_of(home: Path) -> str:
    """Return what the demo has printed."""
    return (home.parent / f"{home.name}.out").read_text()


def wait_for(what: str, is_so: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds} seconds for {what}")
        time.sleep(0.1)


def processes_of_runs(home: Path) -> list[Identity]:
    records = home.glob("run-*/processes.json")
    return [Identity.from_json(each) for record in records for each in json.loads(record.read_text())["processes"]]


def mentioning(home: Path) -> list[str]:
    """Return the processes of this machine whose command line names the directory."""
    listed = subprocess.run(["ps", "-eww", "-o", "args="], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if str(home) in line]


def nat_devices() -> set[str]:
    """Return the network devices of clients behind NAT that this machine has."""
    return {path.name for path in Path("/sys/class/net").glob("switch-nat*")}


def get(url: str) -> tuple[int, bytes]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=5) as answer:
        return answer.status, answer.read()


def stop(home: Path) -> str:
    """Do what `make stop` does, and return what it said."""
    environment = {**os.environ, "PYTHONPATH": _PATH, "SOMLENG_SWITCH_LOCAL": str(home)}
    command = [sys.executable, "-m", "local.stop"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout


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
    devices = nat_devices()
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
        assert ("(masqueraded)" in output) == (NatTools().reason_not() is None)
        a_running_system(home, {process.name: process for process in processes})
    assert "is ended" in stop(home)
    assert demo.wait(5) == 130
    assert [process.is_alive() for process in processes] == [False] * len(processes)
    assert mentioning(home) == []
    assert nat_devices() == devices


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


def test_an_interrupted_demo_leaves_nothing_behind_and_has_said_what_it_would_leave_out(home: Path) -> None:
    demo = start(home, settings={"OPENSIPS": "/nonexistent/opensips", "FREESWITCH": "/nonexistent/freeswitch"})
    wait_for("the synthesis to be under way", lambda: bool(list(home.glob("run-*/cdk.log"))))
    processes = processes_of_runs(home)
    assert [process.is_alive() for process in processes] == [True, True, True]
    demo.send_signal(signal.SIGINT)
    assert demo.wait(30) == 130
    output = output_of(home)
    assert "Left out: calls" in output
    assert "opensips: OpenSIPS 3.6: packages" in output
    assert "freeswitch: FreeSWITCH 1.10: packages" in output
    assert "Interrupted." in output
    assert [process.is_alive() for process in processes] == [False, False, False]
    wait_for("the CDK to be gone", lambda: mentioning(home) == [], 5)


@pytest.mark.skipif(bool(missing(os.environ)), reason="programs that carry calls are not installed")
def test_a_demo_that_is_told_to_end_in_the_middle_of_calls_leaves_nothing_behind(home: Path) -> None:
    devices = nat_devices()
    demo = start(home, "--calls-only")

    def is_loaded() -> bool:
        return any("carrier_talks.xml" in line for line in mentioning(home))

    wait_for("the load", lambda: is_loaded() or demo.poll() is not None, 200)
    assert demo.poll() is None, output_of(home)
    processes = processes_of_runs(home)
    assert len(processes) > 15
    demo.send_signal(signal.SIGTERM)
    assert demo.wait(15) == 130, output_of(home)
    assert [process.is_alive() for process in processes] == [False] * len(processes)
    assert mentioning(home) == []
    assert nat_devices() == devices


def test_a_step_that_does_not_come_to_its_effect_fails_by_name(home: Path) -> None:
    demo = start(home, "--within", "0", "--logs")
    assert demo.wait(240) == 1
    output = output_of(home)
    assert "A switch task starts" in output
    assert "FAILED" in output
    assert "StepFailed: waited 0 seconds for the targets" in output
    assert "emulator | " in output


def test_a_demo_that_was_killed_is_ended_by_stop(home: Path) -> None:
    demo = start(home)
    wait_for("the servers", lambda: len(processes_of_runs(home)) == 3)
    processes = processes_of_runs(home)
    demo.kill()
    demo.wait()
    assert any(process.is_alive() for process in processes)
    assert "is ended: emulator, ecs-emulator, call-platform" in stop(home)
    assert [process.is_alive() for process in processes] == [False, False, False]
