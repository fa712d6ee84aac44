"""A client behind a router is reached only by what it has begun, and nothing is left of the networks."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.processes import Identity
from local.run_directory import RunDirectory
from local.voice import nat
from local.voice.programs import NatTools

pytestmark = pytest.mark.skipif(NatTools().reason_not() is not None, reason=f"{NatTools().reason_not()}")


def devices() -> set[str]:
    return {path.name for path in Path("/sys/class/net").glob("switch-nat*")}


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunDirectory]:
    made = RunDirectory.create(tmp_path)
    yield made
    made.end()


def test_a_client_is_masqueraded_and_ending_the_run_removes_everything(run: RunDirectory) -> None:
    before = devices()
    router, client = nat.holders(run.path)
    for holder in (router, client):
        run.add(holder.start())
    try:
        made = nat.build(router.pid or 0, client.pid or 0)
    except nat.CommandFailed as error:
        pytest.skip(f"this machine lets nobody make such networks: {error}")
    assert len(devices() - before) == 1
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gateway,
        made.namespace.udp_socket(made.client, 5060) as phone,
    ):
        gateway.bind((made.gateway, 5060))
        gateway.settimeout(2)
        gateway.sendto(b"who is there?", (made.client, 5060))  # nobody reaches the client's own address
        phone.sendto(b"REGISTER", (made.gateway, 5060))
        data, source = gateway.recvfrom(100)
        assert (data, source[0]) == (b"REGISTER", made.router)
        gateway.sendto(b"200 OK", source)
        phone.settimeout(2)
        assert phone.recvfrom(100) == (b"200 OK", (made.gateway, 5060))
    # As `make stop` does it, after the demo itself was killed.
    for identity in [Identity.from_json(each.to_json()) for each in run.processes]:
        identity.end()
    for _ in range(50):
        if devices() == before:
            break
        time.sleep(0.05)
    assert devices() == before
    for holder in (router, client):
        holder.stop()
