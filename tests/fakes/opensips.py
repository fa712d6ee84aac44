"""A stand-in for OpenSIPS, as far as the scheduler meets it: the management interface and the file that it loads.

It answers over a Unix datagram socket and a named pipe, reads its SQLite file at the start and at each reload, and
drops the rows that OpenSIPS drops. `test_opensips_contract.py` holds it to what real OpenSIPS does. It takes no SIP.
"""

import contextlib
import ipaddress
import json
import os
import re
import selectors
import socket
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

DATAGRAM_MAXIMUM = 65_457
_REPLY_RETRIES, _REPLY_WAIT = 4, 0.08
_TICK = 0.05


class UnknownCommand(Exception):
    """OpenSIPS has no such command."""


class FakeOpensips:
    """An OpenSIPS, as a context.

    Args:
        directory: STATE_DIRECTORY; `routing.db` is in it.
        kind: `public` or `client`.

    Attributes:
        commands: what it was told, in order.
        counters: its statistics, by name.
        silent: whether it takes commands and answers nothing.

    """

    def __init__(self, directory: Path, kind: str = "public") -> None:
        self.directory, self.kind = directory, kind
        self.commands: list[tuple[str, Any]] = []
        self.counters = dict.fromkeys(("calls_without_switch", "requests_refused", "calls_without_media_proxy"), 0)
        self.silent = False
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def called(self, method: str) -> int:
        """Return how often it was told a command."""
        return sum(name == method for name, _ in self.commands)

    def start(self) -> None:
        """Read the file, and listen."""
        self._ended.clear()
        # Whole seconds: a start in the second of the one before it cannot be told from that.
        self._started = time.strftime("%a %b %e %H:%M:%S %Y") + f" {time.monotonic_ns()}"
        uri = f"{(self.directory / 'routing.db').absolute().as_uri()}?mode=ro"
        self._database = sqlite3.connect(uri, uri=True, check_same_thread=False)
        self._targets = self._load_targets()
        self._addresses: list[dict[str, Any]] = []
        self._domains: list[str] = []
        # OpenSIPS reads the proxies with the first reload, and then asks each.
        self._proxies: list[tuple[int, str]] = []
        if self.kind == "public":
            self._addresses = self._load_addresses()
        else:
            self._domains = self._load_domains()
        for name in ("mi.sock", "mi.fifo"):
            (self.directory / name).unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self.directory / "mi.sock"))
        os.mkfifo(self.directory / "mi.fifo")
        self._pipe = os.open(self.directory / "mi.fifo", os.O_RDWR | os.O_NONBLOCK)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, as at SIGTERM: the socket stays in the directory, the pipe goes."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    # --- serving

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ, self._datagram)
            selector.register(self._pipe, selectors.EVENT_READ, self._line)
            while not self._ended.is_set():
                for key, _ in selector.select(_TICK):
                    key.data()
        self._socket.close()
        os.close(self._pipe)
        self._database.close()
        with contextlib.suppress(FileNotFoundError):
            (self.directory / "mi.fifo").unlink()

    def _datagram(self) -> None:
        request, peer = self._socket.recvfrom(DATAGRAM_MAXIMUM)
        answer = self._answer(request)
        if answer is not None:
            with contextlib.suppress(OSError):  # who asked went away
                self._socket.sendto(answer[:DATAGRAM_MAXIMUM], peer)

    def _line(self) -> None:
        for line in os.read(self._pipe, 4096).splitlines():
            match = re.fullmatch(rb":([A-Za-z0-9_-]+):(.*)", line)
            if match is not None and (answer := self._answer(match[2])) is not None:
                self._reply(self.directory / match[1].decode(), answer)

    def _reply(self, path: Path, answer: bytes) -> None:
        for _ in range(_REPLY_RETRIES):
            try:
                writer = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:  # nobody reads yet, or no longer
                time.sleep(_REPLY_WAIT)
                continue
            os.set_blocking(writer, True)
            try:
                while answer:
                    answer = answer[os.write(writer, answer[:4096]) :]
            except BrokenPipeError:
                pass
            finally:
                os.close(writer)
            return

    def _answer(self, request: bytes) -> bytes | None:
        message = json.loads(request)
        method, parameters = message["method"], message.get("params", {})
        self.commands.append((method, parameters))
        if method == "kill":
            self._ended.set()
            return None
        if self.silent:
            return None
        answer = {"jsonrpc": "2.0", "id": message["id"]}
        try:
            answer["result"] = self._command(method)(**parameters)
        except UnknownCommand:
            answer["error"] = {"code": -32601, "message": "Method not found"}
        return json.dumps(answer, separators=(",", ":")).encode()

    def _command(self, method: str) -> Callable[..., Any]:
        common = {
            "uptime": lambda: {"Up since": self._started},
            "get_statistics": self._statistics,
            "lb_reload": self._lb_reload,
            "lb_list": lambda: {"Destinations": self._targets},
            "ps": lambda: {"Processes": []},
        }
        own = {
            "public": {
                "address_reload": self._address_reload,
                "address_dump": lambda: self._partition(lambda network: network.num_addresses == 1),
                "subnet_dump": lambda: self._partition(lambda network: network.num_addresses > 1),
            },
            "client": {
                "domain_reload": self._domain_reload,
                "domain_dump": lambda: {"Domains": [{"name": name} for name in self._domains]},
                "rtpengine_reload": self._rtpengine_reload,
                "rtpengine_show": self._rtpengine_show,
            },
        }[self.kind]
        found = {**common, **own}.get(method)
        if found is None:
            raise UnknownCommand(method)
        return found

    # --- what it has loaded

    def _load_targets(self) -> list[dict[str, Any]]:
        loaded = []
        for number, uri, group, resources in self._database.execute(
            "SELECT id, dst_uri, group_id, resources FROM load_balancer"
        ):
            name, _, value = resources.partition("=")
            if not uri.startswith("sip:") or not (value.isdecimal() or value.startswith("fs://")):
                continue
            most = int(value) if value.isdecimal() else 1000
            resource = {"name": name, "max": most, "load": 0}
            loaded.append({"uri": uri, "id": number, "group": group, "enabled": "yes", "Resources": [resource]})
        return loaded

    def _load_addresses(self) -> list[dict[str, Any]]:
        loaded = []
        for group, ip, mask in self._database.execute("SELECT grp, ip, mask FROM address"):
            try:
                network = ipaddress.ip_network(f"{ip}/{mask}", strict=False)
            except ValueError:
                continue
            loaded.append({"grp": group, "network": network})
        return loaded

    def _load_domains(self) -> list[str]:
        return [name for (name,) in self._database.execute("SELECT domain FROM domain")]

    def _partition(self, wanted: Callable[[Any], bool]) -> dict[str, Any]:
        rows = []
        for each in self._addresses:
            network = each["network"]
            if not wanted(network):
                continue
            address, mask = str(network.network_address), str(network.prefixlen)
            if network.num_addresses > 1:
                mask = str(network.netmask)
            if network.version == 6:
                address = _groups(network.network_address)
                mask = mask if network.num_addresses == 1 else _groups(network.netmask)
            rows.append({"grp": each["grp"], "ip": address, "mask": mask, "port": 0, "proto": "any"})
        return {"Partitions": [{"name": "default", "Destinations": rows}]}

    def _statistics(self, statistics: list[str]) -> dict[str, int]:
        return {f"script:{name}": self.counters[name] for name in statistics if name in self.counters}

    def _lb_reload(self) -> str:
        self._targets = self._load_targets()
        return "OK"

    def _address_reload(self) -> str:
        self._addresses = self._load_addresses()
        return "OK"

    def _domain_reload(self) -> str:
        self._domains = self._load_domains()
        return "OK"

    def _rtpengine_reload(self, type: str = "hard") -> str:
        rows = self._database.execute("SELECT set_id, socket FROM rtpengine ORDER BY set_id")
        self._proxies = rows.fetchall()
        return "OK"

    def _rtpengine_show(self) -> list[dict[str, Any]]:
        sets: dict[int, list[dict[str, Any]]] = {}
        for number, url in self._proxies:
            sets.setdefault(number, []).append({"url": url, "disabled": 0})
        return [{"Set": number, "Nodes": nodes} for number, nodes in sets.items()]


def _groups(address: Any) -> str:
    """Write an IPv6 address as OpenSIPS does: eight groups, without leading zeros, in capitals."""
    return ":".join(f"{int(group, 16):X}" for group in address.exploded.split(":"))
