"""A client behind a router: a network namespace each, of the run's own, which end with the processes that hold them.

    client 198.19.n.20 ── 198.19.n.1 router, which masquerades ── 198.18.n.10 ── 198.18.n.1 … this machine, "outside"

Both networks are reserved for tests between networks (RFC 2544), so nobody else's traffic is meant. Every route is one
of a device of the run; nothing of it is left once the holders are gone, however they went.
"""

import ctypes
import os
import random
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from local.errors import CommandFailed
from local.processes import Server

T = TypeVar("T")
_NEW_NETWORK = 0x40000000
"""CLONE_NEWNET of linux/sched.h."""
_HOLD = ["unshare", "--net", "sleep", "infinity"]
_TRIES = 20


@dataclass(frozen=True, slots=True)
class Nat:
    """A machine behind a router, and where this machine is for it.

    Attributes:
        gateway: this machine's address for the client gateway.
        media_proxy: this machine's address for the media proxy.
        router: the router's address outside, which everything from the client comes from.
        client: the client's own address, which nobody outside reaches.
        network: the network outside.
        namespace: the client's.

    """

    gateway: str
    media_proxy: str
    router: str
    client: str
    network: str
    namespace: "Namespace"


class Namespace:
    """A network namespace, of a process that lives there."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def run(self, *command: str) -> None:
        """Run a command there.

        Raises:
            CommandFailed: saying what it said.

        """
        _run("nsenter", f"--target={self.pid}", "--net", *command)

    def call(self, function: Callable[[], T]) -> T:
        """Call a function in a thread that is there: sockets that it makes stay there, and may be used anywhere."""
        results: list[T] = []
        errors: list[BaseException] = []

        def enter() -> None:
            try:
                _enter_network_of(self.pid)
                results.append(function())
            except BaseException as error:  # noqa: BLE001 - raised again where it was asked for
                errors.append(error)

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        if errors:
            raise errors[0]
        return results[0]

    def udp_socket(self, address: str, port: int) -> socket.socket:
        """Return a socket there."""

        def make() -> socket.socket:
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            made.setblocking(False)
            made.bind((address, port))
            return made

        return self.call(make)


def _enter_network_of(pid: int) -> None:
    """Have this thread be in the network namespace of a process; Python 3.12 has `os.setns` for it."""
    with Path(f"/proc/{pid}/ns/net").open() as network:
        if ctypes.CDLL(None, use_errno=True).setns(network.fileno(), _NEW_NETWORK) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def holders(directory: Path) -> tuple[Server, Server]:
    """Return the processes that hold the namespaces of router and client."""
    environment = {"PATH": os.environ["PATH"]}
    router, client = (
        Server(name, _HOLD, environment, directory, lambda: True) for name in ("nat-router", "nat-client")
    )
    return router, client


def build(router_pid: int, client_pid: int) -> Nat:
    """Connect the namespaces of two processes with this machine, as a router does.

    Raises:
        CommandFailed: naming the command that failed.

    """
    for pid in (router_pid, client_pid):
        _await_own_network(pid)
    router, client = Namespace(router_pid), Namespace(client_pid)
    number, device = _outside(router)
    outside, inside = f"198.18.{number}", f"198.19.{number}"
    for host in (1, 2):
        _run("ip", "address", "add", f"{outside}.{host}/24", "dev", device)
    _run("ip", "link", "set", device, "up")
    # Whatever is sent to the client's own address by mistake ends here, and not at this machine's default route.
    _run("ip", "route", "add", f"{inside}.0/24", "dev", device)

    router.run("ip", "address", "add", f"{outside}.10/24", "dev", "outside")
    router.run("ip", "link", "set", "outside", "up")
    router.run("ip", "link", "add", "inside", "type", "veth", "peer", "name", "uplink", "netns", str(client_pid))
    router.run("ip", "address", "add", f"{inside}.1/24", "dev", "inside")
    router.run("ip", "link", "set", "inside", "up")
    router.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
    for command in _masquerading():
        router.run(*command)

    client.run("ip", "link", "set", "lo", "up")
    client.run("ip", "address", "add", f"{inside}.20/24", "dev", "uplink")
    client.run("ip", "link", "set", "uplink", "up")
    client.run("ip", "route", "add", "default", "via", f"{inside}.1")
    return Nat(f"{outside}.1", f"{outside}.2", f"{outside}.10", f"{inside}.20", f"{outside}.0/24", client)


def _masquerading() -> list[list[str]]:
    if shutil.which("iptables"):
        return [["iptables", "-t", "nat", "-A", "POSTROUTING", "-o", "outside", "-j", "MASQUERADE", "--random-fully"]]
    chain = "add chain ip nat postrouting { type nat hook postrouting priority 100 ; }"
    rule = 'add rule ip nat postrouting oifname "outside" masquerade fully-random'
    return [["nft", "add table ip nat"], ["nft", chain], ["nft", rule]]


def _outside(router: Namespace) -> tuple[int, str]:
    """Make the router's line to this machine, with a number that no other run has."""
    for _ in range(_TRIES):
        number = random.SystemRandom().randint(1, 254)
        device = f"switch-nat{number}"
        peer = ["peer", "name", "outside", "netns", str(router.pid)]
        try:
            _run("ip", "link", "add", device, "type", "veth", *peer)
        except CommandFailed as error:
            if "File exists" not in str(error):
                raise
            continue
        return number, device
    raise CommandFailed("no network for a client behind NAT is free")


def _await_own_network(pid: int) -> None:
    """Wait until a process that was told to has a network of its own."""
    mine = os.readlink("/proc/self/ns/net")
    for _ in range(100):
        if os.readlink(f"/proc/{pid}/ns/net") != mine:
            return
        threading.Event().wait(0.02)
    raise CommandFailed(f"process {pid} has no network of its own")


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    if done.returncode:
        raise CommandFailed(f"{' '.join(command)} failed: {done.stderr.strip() or done.stdout.strip()}")
