"""What the scheduler costs as the process that it is, reading an emulated DynamoDB over HTTP.

A whole copy of large tables: seconds from the process's start until all rows are in the file, and the most memory that
it has had resident. The emulator and its own slow scans are in the seconds; they are told apart by reading the same
tables and doing nothing with them. Then one change on top of these tables, with real OpenSIPS that holds them:
milliseconds from the write until the row is in the file, of which up to half a second is the wait for the next look,
and from there until OpenSIPS answered the reload. And the requests that a scheduler really sends while nothing changes,
beside what the settings say; prices are AWS's for on-demand reads in ap-southeast-1, see benchmarks/scheduler.py.

    make bench, or python -m benchmarks.scheduler_process [--subscribers 100000] [--addresses 10000]
"""

import argparse
import io
import logging
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stdout
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.journal import client as dynamodb_client
from benchmarks.journal import emulator
from benchmarks.scheduler import addresses, idle_by_settings, subscribers
from opensips_scheduler.scheduler import Scheduler
from opensips_scheduler.settings import Kind, Settings
from routing import Address, PutAddress, RoutingReader, RoutingRepository, Subscriber, Table
from routing.attribute_values import WireItem, encode
from tests.support import opensips
from tests.support.loopback import LoopbackNetwork
from tests.support.opensips import Gateway
from tests.support.routing_tables import ENVIRONMENT, NAMES, create_tables
from tests.support.scheduler import Sidecar

_GIVE_UP_SECONDS = 90.0
_BATCH = 25
_CHANGES = 20
_IDLE_SECONDS = 10.0


def _items(subscriber_count: int, address_count: int) -> Iterator[tuple[Table, WireItem]]:
    for page in subscribers(subscriber_count):
        for one in page.records:
            assert isinstance(one, Subscriber)
            digests = {"ha1": one.ha1, "ha1_sha256": one.ha1_sha256, "ha1_sha512t256": one.ha1_sha512t256}
            yield Table.SUBSCRIBERS, encode({"username": one.username, **digests})
    for page in addresses(address_count):
        for row in page.records:
            assert isinstance(row, Address)
            yield Table.ADDRESSES, encode({"source_ip": row.source_ip, "group_id": row.group_id})


def _fill(dynamodb: Any, subscriber_count: int, address_count: int) -> None:
    """Write the rows past the journal, as a table that was there before."""
    items = _items(subscriber_count, address_count)

    def put(batch: list[tuple[Table, WireItem]]) -> None:
        requests: dict[str, list[Any]] = {}
        for table, item in batch:
            requests.setdefault(NAMES[table], []).append({"PutRequest": {"Item": item}})
        dynamodb.batch_write_item(RequestItems=requests)

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(put, iter(lambda: list(islice(items, _BATCH)), [])))


def _read_alone(dynamodb: Any, table: Table) -> float:
    began = time.monotonic()
    for page in RoutingReader(dynamodb, NAMES).pages(table):
        assert page.records
    return time.monotonic() - began


def _wait(until: Callable[[], object], what: str, pause: float = 0.002) -> None:
    deadline = time.monotonic() + _GIVE_UP_SECONDS
    while not until():
        if time.monotonic() > deadline:
            raise SystemExit(f"{what} does not come in {_GIVE_UP_SECONDS:.0f} seconds")
        time.sleep(pause)


def _peak_megabytes(sidecar: Sidecar) -> float:
    """Return the most memory that the process has had resident, as Linux keeps it."""
    assert sidecar.process is not None
    status = Path(f"/proc/{sidecar.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


@contextmanager
def _copied(kind: Kind, directory: Path, address: str, endpoint: str) -> Iterator[tuple[Sidecar, float]]:
    """Run a scheduler; give it, and the seconds that it took until all was copied."""
    began = time.monotonic()
    with Sidecar(kind.value, directory, address, endpoint) as sidecar:
        _wait((directory / "ready").exists, "the whole copy", 0.01)
        yield sidecar, time.monotonic() - began


def _changes(endpoint: str, directory: Path, sidecar: Sidecar) -> tuple[list[float], list[float]]:
    """Return the milliseconds from each of some writes to its commit, and from there to the answer to the reload."""
    repository = RoutingRepository(dynamodb_client(endpoint), NAMES)
    connection = sqlite3.connect(directory / "routing.db")

    def committed(ip: str) -> bool:
        return connection.execute("SELECT 1 FROM address WHERE ip = ?", (ip,)).fetchone() is not None

    def reloaded() -> Any:
        return sidecar.health().get("reload_seconds", {}).get("address_reload")

    _wait(lambda: sidecar.health().get("reloads_due") == [] and reloaded(), "the first reload")
    commits, reloads = [], []
    for number in range(_CHANGES):
        ip, before = f"192.0.2.{number + 1}", reloaded()
        time.sleep(0.037 * (number % 14))  # no step with the scheduler's own clock
        repository.write([PutAddress(Address(ip, 1), time.time_ns() // 1_000_000)])
        began = time.monotonic()
        _wait(lambda: committed(ip), "the commit", 0.001)  # noqa: B023 - asked for here and now
        written = time.monotonic()
        _wait(lambda: reloaded() != before, "the reload", 0.001)  # noqa: B023
        commits.append((written - began) * 1000)
        reloads.append((time.monotonic() - written) * 1000)
    connection.close()
    return commits, reloads


def _idle(kind: Kind, endpoint: str, directory: Path) -> tuple[float, float]:
    """Return the requests and the read units a second of a scheduler that has nothing to do."""
    environment = {**ENVIRONMENT, "GATEWAY_KIND": kind.value, "FS_EVENT_SOCKET_PASSWORD": "x", "HEALTH_PORT": "0"}
    environment |= {"SIP_ADVERTISED_ADDRESS": "192.0.2.1", "SIP_LISTEN_ADDRESS": "192.0.2.1"}
    dynamodb = dynamodb_client(endpoint)
    units: list[int] = []

    def count(params: Mapping[str, Any], **_: Any) -> None:
        asked = params.get("RequestItems", {})
        units.append(sum(len(each["Keys"]) for each in asked.values()) if asked else 1)

    scheduler = Scheduler(Settings.from_environment(environment | {"STATE_DIRECTORY": str(directory)}), dynamodb)
    logging.disable(logging.CRITICAL)  # it complains of an OpenSIPS that is not there
    try:
        with redirect_stdout(io.StringIO()):  # its metrics
            scheduler.start()
            _wait((directory / "ready").exists, "the whole copy", 0.01)
            time.sleep(1)
            dynamodb.meta.events.register("before-parameter-build.dynamodb", count)
            time.sleep(_IDLE_SECONDS)
            dynamodb.meta.events.unregister("before-parameter-build.dynamodb", count)
    finally:
        scheduler.stop()
        logging.disable(logging.NOTSET)
    return len(units) / _IDLE_SECONDS, sum(units) / _IDLE_SECONDS


def _print_copies(endpoint: str, dynamodb: Any, directory: Path) -> None:
    network = LoopbackNetwork()
    for kind, table in ((Kind.CLIENT, Table.SUBSCRIBERS), (Kind.PUBLIC, Table.ADDRESSES)):
        own = directory / kind.value
        own.mkdir()
        reading = _read_alone(dynamodb, table)
        gateway = Gateway(kind.value, own, network.address(), {"PROBE_INTERVAL": "3600"}, ready=False)
        with _copied(kind, own, gateway.address, endpoint) as (sidecar, seconds):
            print(f"{kind.value} gateway, {sidecar.health()['rows'][table.value]} rows of {table.value}")
            print(f"  whole copy, from the start {seconds:8.2f} s   reading alone {reading:.2f} s")
            print(f"  resident memory, peak      {_peak_megabytes(sidecar):8.1f} MB")
            if kind is Kind.PUBLIC and opensips.BINARY is None:
                print(f"  one change: left out: {opensips.MISSING}")
            elif kind is Kind.PUBLIC:
                with gateway:
                    commits, reloads = _changes(endpoint, own, sidecar)
                print(
                    f"  one change, to the commit  {statistics.median(commits):8.0f} ms   worst {max(commits):.0f} ms"
                )
                print(
                    f"  from there to the reload   {statistics.median(reloads):8.1f} ms   worst {max(reloads):.1f} ms"
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--subscribers", type=int, default=100_000)
    parser.add_argument("--addresses", type=int, default=10_000)
    arguments = parser.parse_args()
    with emulator() as endpoint:
        dynamodb = dynamodb_client(endpoint)
        create_tables(dynamodb)
        with tempfile.TemporaryDirectory(prefix="gateway-") as name:
            print("when nothing changes, counted over some seconds and by the settings:")
            for kind in Kind:
                directory = Path(name) / f"idle-{kind.value}"
                directory.mkdir()
                requests, units = _idle(kind, endpoint, directory)
                expected, by_settings, dollars = idle_by_settings(kind)
                print(
                    f"  {kind.value:6} gateway {requests:5.2f} requests a second ({expected:.0f}), "
                    f"{dollars * units / by_settings:5.2f} dollars a month ({dollars:.2f})"
                )
            began = time.monotonic()
            _fill(dynamodb, arguments.subscribers, arguments.addresses)
            print(f"\n(filling the emulator took {time.monotonic() - began:.0f} s)")
            _print_copies(endpoint, dynamodb, Path(name))


if __name__ == "__main__":
    main()
