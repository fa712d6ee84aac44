"""What a gateway's scheduler costs: a whole copy of large tables, one change on top of it, and looking in vain.

The records are made in this process, page by page, as a reader of DynamoDB yields them; the network and DynamoDB's own
time are not in it. Making them and doing nothing with them is what the copy is compared with.

Requests when nothing changes follow from the settings; they are computed here and counted in scheduler_process. Prices
are AWS's for on-demand reads in ap-southeast-1: 0.1425 dollars a million read units, of which a consistent read of a
small item is one.

    make bench, or python -m benchmarks.scheduler [--subscribers 100000] [--addresses 10000]
"""

import argparse
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

from opensips_scheduler.routing_database import RoutingDatabase
from opensips_scheduler.rows import RowBuilder
from opensips_scheduler.settings import TABLES, Kind, Settings
from routing import Address, ChangeSet, Record, Subscriber, Table
from routing.reader import Page
from tests.support.routing_tables import ENVIRONMENT

_PAGE = 1_000
_DOLLARS_A_MILLION_READ_UNITS = 0.1425
_SECONDS_A_MONTH = 30 * 86_400


def subscribers(count: int) -> Iterator[Page]:
    """Yield pages of as many subscribers."""
    for start in range(0, count, _PAGE):
        numbers = range(start, min(start + _PAGE, count))
        yield Page(tuple(Subscriber(f"user{n}", f"{n:032x}", f"{n:064x}", f"{n:064x}") for n in numbers))


def addresses(count: int) -> Iterator[Page]:
    """Yield pages of as many addresses."""
    for start in range(0, count, _PAGE):
        numbers = range(start, min(start + _PAGE, count))
        yield Page(tuple(Address(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", n % 2 + 1) for n in numbers))


def _copy(database: RoutingDatabase, subscriber_count: int, address_count: int, position: int) -> float:
    began = time.perf_counter()
    database.replace(Table.SUBSCRIBERS, position, subscribers(subscriber_count))
    database.replace(Table.ADDRESSES, position, addresses(address_count))
    return time.perf_counter() - began


def _reading_alone(subscriber_count: int, address_count: int) -> float:
    began = time.perf_counter()
    for pages in (subscribers(subscriber_count), addresses(address_count)):
        for page in pages:
            assert page.records
    return time.perf_counter() - began


def _one_change(database: RoutingDatabase, turn: int) -> float:
    record: Record = Subscriber("user1", f"{turn:032x}", "a" * 64, "b" * 64)
    changes = ChangeSet(Table.SUBSCRIBERS, turn + 2, {record.key: record}, frozenset())
    began = time.perf_counter()
    applied = database.apply(changes)
    assert applied.changed == 1
    return (time.perf_counter() - began) * 1000


def idle_by_settings(kind: Kind) -> tuple[float, float, float]:
    """Return requests a second, read units a second and dollars a month when nothing changes."""
    environment = {**ENVIRONMENT, "GATEWAY_KIND": kind.value, "FS_EVENT_SOCKET_PASSWORD": "x"}
    environment |= {"SIP_ADVERTISED_ADDRESS": "192.0.2.1", "SIP_LISTEN_ADDRESS": "192.0.2.1"}
    settings = Settings.from_environment(environment)
    looks = 1 / settings.poll_interval
    requests, units = looks, looks * len(TABLES[kind])
    if kind is Kind.CLIENT:
        requests, units = requests + looks, units + looks  # the media proxies' head
    return requests, units, units * _SECONDS_A_MONTH / 1e6 * _DOLLARS_A_MILLION_READ_UNITS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--subscribers", type=int, default=100_000)
    parser.add_argument("--addresses", type=int, default=10_000)
    arguments = parser.parse_args()
    counts = arguments.subscribers, arguments.addresses
    with tempfile.TemporaryDirectory() as directory:
        rows = RowBuilder("ClueCon")
        database = RoutingDatabase(Path(directory) / "routing.db", rows)
        reading = _reading_alone(*counts)
        first, again = _copy(database, *counts, 1), _copy(database, *counts, 1)
        milliseconds = [_one_change(database, turn) for turn in range(200)]
        database.close()
        tracemalloc.start()
        measured = RoutingDatabase(Path(directory) / "measured.db", rows)
        _copy(measured, *counts, 1)
        peak = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
        measured.close()
    print(f"{counts[0]} subscribers and {counts[1]} addresses, without the network:")
    print(f"  making the records alone {reading:8.2f} s")
    print(f"  first whole copy         {first:8.2f} s   ratio {first / reading:.2f}")
    print(f"  comparison, all the same {again:8.2f} s   ratio {again / reading:.2f}")
    print(f"  peak of Python's memory  {peak:8.1f} MB")
    median, p99 = statistics.median(milliseconds), statistics.quantiles(milliseconds, n=100)[98]
    print(f"  one change to commit     {median:8.2f} ms  median of 200; p99 {p99:.2f} ms")
    print("\nwhen nothing changes, by the settings:")
    for kind in Kind:
        requests, _, dollars = idle_by_settings(kind)
        print(f"  {kind.value:6} gateway {requests:4.0f} requests a second, {dollars:5.2f} dollars a month")


if __name__ == "__main__":
    main()
