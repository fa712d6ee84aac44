"""Start, follow, outages of either side, and the end."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from routing import Address, PutAddress, PutTaskRow, RegistrationReader, RoutingRepository, Table, TaskStamp
from tests.containers.opensips_scheduler.conftest import target
from tests.containers.opensips_scheduler.process.conftest import Supervisor
from tests.fakes.opensips import FakeOpensips
from tests.support.network_link import NetworkLink
from tests.support.opensips import ROOT
from tests.support.routing_tables import NAMES
from tests.support.scheduler import Sidecar
from tests.support.waiting import until

STAMP = TaskStamp("task-a", 3, 1_000)


def uris(opensips: FakeOpensips) -> list[str]:
    return [each["uri"] for each in opensips._targets]


def test_what_is_written_is_loaded_with_the_reload_that_it_needs(
    repository: RoutingRepository, sidecar: Callable[..., Sidecar], supervised: Callable[[str], Supervisor]
) -> None:
    repository.write([PutTaskRow(target(1), STAMP)])
    opensips = supervised("public").opensips
    with sidecar() as scheduler:
        until("the first copy", lambda: opensips.running and uris(opensips) == ["sip:10.0.0.1:5060"])
        until("the first reloads", lambda: scheduler.health()["reloads_due"] == [])
        targets, addresses = opensips.called("lb_reload"), opensips.called("address_reload")
        repository.write([PutAddress(Address("192.0.2.0/28", 2), 1)])
        assert until("the address", lambda: opensips._addresses, 2) < 2
        assert (opensips.called("lb_reload"), opensips.called("address_reload")) == (targets, addresses + 1)
        health = scheduler.health()
        assert (health["healthy"], health["stale"], health["errors"]) == (True, False, {})
        assert health["rows"] == {"load_balancer_targets": 1, "addresses": 1}
        until("it to be read back", lambda: opensips.called("subnet_dump") and opensips.called("lb_list"))
        assert scheduler.stop() == 0


def test_opensips_may_not_start_before_the_first_copy(
    sidecar: Callable[..., Sidecar], link: NetworkLink, directory: Path
) -> None:
    link.cut()
    with sidecar() as scheduler:
        until("the error to be told", lambda: "journal" in scheduler.health().get("errors", {}))
        assert not scheduler.is_healthy()
        assert not (directory / "ready").exists()
        assert _health_check(scheduler) == 1
        link.mend()
        until("the first copy", scheduler.is_healthy)
        assert _health_check(scheduler) == 0
        assert (directory / "ready").exists()


def _health_check(scheduler: Sidecar) -> int:
    """Return what the container's health check says."""
    environment = {"PYTHONPATH": str(ROOT / "containers/opensips_scheduler"), "HEALTH_PORT": str(scheduler.port)}
    command = [sys.executable, "-m", "opensips_scheduler.healthcheck"]
    return subprocess.run(command, env=environment, check=False, capture_output=True).returncode


def test_opensips_that_is_started_anew_reads_everything(
    repository: RoutingRepository, sidecar: Callable[..., Sidecar], directory: Path
) -> None:
    opensips = FakeOpensips(directory)
    with sidecar() as scheduler:
        until("the first copy", scheduler.is_healthy)
        with opensips:
            until("the first reloads", lambda: scheduler.health()["reloads_due"] == [])
        repository.write([PutTaskRow(target(1), STAMP)])
        until("the outage to be told", lambda: "opensips" in scheduler.health()["errors"])
        assert scheduler.is_healthy()
        until("the metric", lambda: scheduler.metrics("OpensipsUnreachable")[-1]["OpensipsUnreachable"] == [1.0])
        opensips.commands.clear()
        with opensips:
            until("every reload", lambda: opensips.called("lb_reload") and opensips.called("address_reload"))
            assert uris(opensips) == ["sip:10.0.0.1:5060"]
            until("the recovery to be told", lambda: "opensips" not in scheduler.health()["errors"])


def test_a_scheduler_that_is_killed_loses_nothing(
    repository: RoutingRepository, sidecar: Callable[..., Sidecar], supervised: Callable[[str], Supervisor]
) -> None:
    opensips = supervised("public").opensips
    with sidecar() as scheduler:
        until("the first copy", lambda: opensips.running)
        assert scheduler.process is not None
        scheduler.process.kill()
    repository.write([PutTaskRow(target(1), STAMP)])
    with sidecar():
        until("the target", lambda: uris(opensips) == ["sip:10.0.0.1:5060"])


def test_aws_out_of_reach_leaves_the_last_good_file_in_use_and_reloads_running(
    repository: RoutingRepository,
    sidecar: Callable[..., Sidecar],
    supervised: Callable[[str], Supervisor],
    link: NetworkLink,
) -> None:
    repository.write([PutTaskRow(target(1), STAMP)])
    supervisor = supervised("public")
    opensips = supervisor.opensips
    with sidecar() as scheduler:
        until("the first copy", lambda: opensips.running and scheduler.health()["reloads_due"] == [])
        link.cut()
        until("the outage to be told", lambda: "journal" in scheduler.health()["errors"])
        opensips.commands.clear()
        opensips.stop()
        until("OpenSIPS to read the file again", lambda: opensips.called("lb_reload"))
        assert uris(opensips) == ["sip:10.0.0.1:5060"]
        repository.write([PutTaskRow(target(2), STAMP)])
        first = scheduler.health()
        assert (first["healthy"], first["rows"]["load_balancer_targets"]) == (True, 1)
        time.sleep(0.1)
        assert scheduler.health()["age_seconds"] > first["age_seconds"]
    with sidecar() as successor:  # without AWS at its start
        until("the last good file", successor.is_healthy)
        assert (successor.health()["age_seconds"], successor.health()["stale"]) == (None, True)
        link.mend()
        until("what was written meanwhile", lambda: len(uris(opensips)) == 2)
        until("the recovery to be told", lambda: successor.health()["errors"] == {})


def test_told_to_end_while_it_waits_to_try_again_it_ends(sidecar: Callable[..., Sidecar], link: NetworkLink) -> None:
    link.cut()
    with sidecar() as scheduler:
        until("the error to be told", lambda: "journal" in scheduler.health().get("errors", {}))
        time.sleep(1)  # so that waits are long
        began = time.monotonic()
        assert scheduler.stop() == 0
        assert time.monotonic() - began < 5


def test_opensips_that_hangs_holds_up_nothing_but_itself(
    repository: RoutingRepository, sidecar: Callable[..., Sidecar], directory: Path
) -> None:
    with sidecar() as scheduler:
        until("the first copy", scheduler.is_healthy)
        with FakeOpensips(directory) as opensips:
            opensips.silent = True
            repository.write([PutTaskRow(target(1), STAMP)])
            until("the row", lambda: scheduler.health()["rows"]["load_balancer_targets"] == 1, 2)
            assert scheduler.health()["age_seconds"] < 2


def test_commands_are_run_regularly(sidecar: Callable[..., Sidecar], supervised: Callable[[str], Supervisor]) -> None:
    opensips = supervised("public").opensips
    commands = '[{"method": "ps", "interval": 1}, {"method": "nope", "parameters": {"a": "b"}, "interval": 1}]'
    with sidecar(MI_COMMANDS=commands) as scheduler:
        until("the command", lambda: opensips.called("ps") >= 2)
        assert ("nope", {"a": "b"}) in opensips.commands
        assert "Method not found" in scheduler.health()["errors"]["command nope"]


def test_what_is_wrong_is_counted_and_told(
    repository: RoutingRepository, sidecar: Callable[..., Sidecar], supervised: Callable[[str], Supervisor]
) -> None:
    repository.write([PutTaskRow(target(1, event_socket="nowhere"), STAMP), PutTaskRow(target(2), STAMP)])
    opensips = supervised("public").opensips
    with sidecar() as scheduler:
        until("the skipped row", lambda: scheduler.health().get("skipped"))
        until("its metric", lambda: scheduler.metrics("RowSkipped"), 3)
        assert scheduler.metrics("RowSkipped")[0]["table"] == Table.LOAD_BALANCER_TARGETS.value
        until("OpenSIPS", lambda: opensips.running)
        opensips._load_targets = list  # type: ignore[method-assign] - it drops every row from now on
        repository.write([PutTaskRow(target(3), STAMP)])
        until("the dropped rows", lambda: len(scheduler.health()["dropped"]) == 2)
        assert {line["table"] for line in scheduler.metrics("RowDropped")} == {"load_balancer_targets"}
        until("the gauge", lambda: scheduler.metrics("RowsDropped")[-1]["RowsDropped"] == [2.0])
        del opensips._load_targets
        repository.write([PutTaskRow(target(4), STAMP)])
        until("it to be mended", lambda: scheduler.health()["dropped"] == [])
        opensips.counters["calls_without_switch"] = 7
        until("refused calls", lambda: any(line["CallsWithoutSwitch"] == [7.0] for line in _refused(scheduler)))


def _refused(scheduler: Sidecar) -> list[dict[str, object]]:
    return scheduler.metrics("CallsWithoutSwitch")


@pytest.mark.parametrize("name", ["GATEWAY_KIND", "FS_EVENT_SOCKET_PASSWORD", "ADDRESSES_TABLE"])
def test_a_missing_setting_ends_it_with_78_and_is_named(sidecar: Callable[..., Sidecar], name: str) -> None:
    with sidecar(**{name: ""}) as scheduler:
        assert scheduler.process is not None
        assert scheduler.process.wait(10) == 78
        assert name in scheduler.log.read_text()


def test_a_contact_that_changed_last_is_written_before_it_ends(
    dynamodb: Any, sidecar: Callable[..., Sidecar], directory: Path
) -> None:
    with sidecar("client") as scheduler:
        until("the start", lambda: scheduler.health().get("contacts_waiting") == 0)
        connection = sqlite3.connect(directory / "gateway.db")
        with connection:
            connection.execute(
                "INSERT INTO location (username, contact, socket, last_modified, expires, callid, cseq) VALUES"
                " ('user1', 'sip:user1@192.0.2.1', 'udp:10.0.0.1:5060', '2026-01-01 00:00:00', ?, 'x', 1)",
                (int(time.time()) + 600,),
            )
        connection.close()
        assert scheduler.stop() == 0
    (found,) = RegistrationReader(dynamodb, NAMES).current_contacts("user1", time.time())
    assert found.contact == "sip:user1@192.0.2.1"
