"""Journal writes a second under contention, and what "nothing changed" costs, on the AWS emulator over HTTP.

Each writer is a process of its own that writes rows of its own; they meet at the journal's head. What a write is
compared with, in the same run and with as many writers, is the bare PutItem of a row without a journal. The emulator
shares the machine's cores with the writers, so the ratio says more than the figure.

    make bench, or python -m benchmarks.journal [--seconds 5]
"""

import argparse
import multiprocessing
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from local import servers
from routing import Address, PutAddress, RoutingReader, RoutingRepository, Table, WriteConflict
from tests.support.routing_tables import NAMES, RequestCounter, create_tables

_WRITERS = (1, 4, 16)


@contextmanager
def emulator() -> Iterator[str]:
    """Run an emulator for a while, and give its URL."""
    with tempfile.TemporaryDirectory() as directory:
        port = servers.free_port()
        server = servers.aws_emulator(Path(directory), port)
        server.start()
        try:
            server.wait_until_ready(30)
            yield f"http://{servers.HOST}:{port}"
        finally:
            server.stop()


def client(endpoint: str) -> Any:
    """Return a DynamoDB client as the services function has it."""
    config = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "max_attempts": 4})
    keys: Any = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    return boto3.client("dynamodb", endpoint_url=endpoint, region_name=servers.REGION, config=config, **keys)


def _journaled(endpoint: str, writer: int, seconds: float, results: Any, start: Any) -> None:
    repository = RoutingRepository(client(endpoint), NAMES)
    start.wait()
    ends, writes, requests, given_up = time.monotonic() + seconds, 0, 0, 0
    for turn in count():
        if time.monotonic() >= ends:
            break
        address = Address(f"10.{writer}.{turn >> 8 & 255}.{turn & 255}", turn)
        try:
            requests += repository.write([PutAddress(address, sent_at=time.time_ns() // 1_000_000)]).requests
            writes += 1
        except WriteConflict:
            given_up += 1
    results.put((writes, requests, given_up))


def _bare(endpoint: str, writer: int, seconds: float, results: Any, start: Any) -> None:
    dynamodb = client(endpoint)
    start.wait()
    ends, writes = time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        item = {"source_ip": {"S": f"bare-{writer}-{writes}"}, "group_id": {"N": "1"}}
        dynamodb.put_item(TableName=NAMES[Table.ADDRESSES], Item=item)
        writes += 1
    results.put((writes, writes, 0))


def run(work: Any, endpoint: str, writers: int, seconds: float) -> tuple[float, float, int]:
    """Return writes a second, requests a write, and how many writes gave up."""
    context = multiprocessing.get_context("spawn")
    results, start = context.Queue(), context.Barrier(writers)
    processes = [context.Process(target=work, args=(endpoint, n, seconds, results, start)) for n in range(writers)]
    for process in processes:
        process.start()
    told = [results.get() for _ in processes]
    for process in processes:
        process.join()
    writes, requests, given_up = (sum(column) for column in zip(*told, strict=True))
    return writes / seconds, requests / max(writes, 1), given_up


def nothing_changed(endpoint: str) -> Counter[str]:
    """Return how many requests each of three ways to find that nothing changed takes."""
    dynamodb = client(endpoint)
    repository, reader = RoutingRepository(dynamodb, NAMES), RoutingReader(dynamodb, NAMES)
    change = PutAddress(Address("192.0.2.1", 1), sent_at=1)
    repository.write([change])
    position = reader.position(Table.ADDRESSES)
    counter = RequestCounter(dynamodb)
    costs: Counter[str] = Counter()
    for name, ask in (
        ("a change that is there is written again", lambda: repository.write([change])),
        ("a gateway asks all five tables", reader.positions),
        ("a gateway asks what changed in one", lambda: reader.changes_after(Table.ADDRESSES, position)),
    ):
        before = len(counter.operations)
        ask()
        costs[name] = len(counter.operations) - before
    return costs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=5.0)
    seconds = parser.parse_args().seconds
    with emulator() as endpoint:
        create_tables(client(endpoint))
        print(f"{'writers':>8}{'writes/s':>10}{'bare PutItem/s':>16}{'ratio':>7}{'requests a write':>18}{'gave up':>9}")
        for writers in _WRITERS:
            rate, requests, given_up = run(_journaled, endpoint, writers, seconds)
            bare, _, _ = run(_bare, endpoint, writers, seconds)
            print(f"{writers:8}{rate:10.0f}{bare:16.0f}{rate / bare:7.2f}{requests:18.2f}{given_up:9}")
        print("\nrequests for 'nothing changed':")
        for name, requests_needed in nothing_changed(endpoint).items():
            print(f"  {name:42}{requests_needed}")


if __name__ == "__main__":
    main()
