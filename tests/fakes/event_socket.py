"""FreeSWITCH's event socket, as far as its clients here use it: OpenSIPS's freeswitch module, and the event logger.

What it says to what, and in which order, is FreeSWITCH's own protocol; `test_event_socket_contract.py` asks the same of
FreeSWITCH itself.
"""

import contextlib
import itertools
import json
import socket
import socketserver
import threading
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import quote

_KNOWN = frozenset(
    {
        "HEARTBEAT",
        "CHANNEL_CREATE",
        "CHANNEL_ANSWER",
        "CHANNEL_BRIDGE",
        "CHANNEL_HANGUP",
        "CHANNEL_HANGUP_COMPLETE",
        "BACKGROUND_JOB",
    }
)
"""Names of events that it knows; others are passed over in a subscription."""

_GOODBYE = "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"


class EventSocket:
    """An event socket, as a context: while it lasts, it listens and beats.

    Args:
        address: where it listens.
        port: see `address`; 0 for one that is free.
        password: what a client must know.
        interval: seconds between two heartbeats; None for a FreeSWITCH that sends none.

    Attributes:
        sessions: calls that it says it has.
        maximum: calls that it says it can have.
        channels: what it lists: a row each, of which `uuid` is one field.
        database: whether it has the database that channels are listed from (no `-nosql`).
        logins: passwords that were tried.
        commands: first lines of the commands that came after a login.

    """

    def __init__(self, address: str, port: int = 8021, password: str = "ClueCon", interval: float | None = 1.0) -> None:
        self.address, self.password, self.interval = address, password, interval
        self.sessions, self.maximum, self.idle = 0, 150, 98.5
        self.channels: list[dict[str, str]] = []
        self.database = True
        self.logins: list[str] = []
        self.commands: list[str] = []
        self._clients: set[_Client] = set()
        self._sequence = itertools.count(1)
        self._stopping = threading.Event()
        self._server = _Server((address, port), _handler_of(self))
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._beating = threading.Thread(target=self._beat, daemon=True)

    @property
    def connections(self) -> int:
        """How many clients there are."""
        return len(self._clients)

    def __enter__(self) -> Self:
        self._thread.start()
        self._beating.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self.drop()
        self._thread.join()
        self._beating.join()

    def drop(self) -> None:
        """Close every connection, without a word."""
        for client in list(self._clients):
            client.close()

    def tell(self, name: str, headers: Mapping[str, str] | None = None) -> None:
        """Send an event to all who asked for it."""
        event = {"Event-Name": name, **(headers or {}), "Event-Sequence": str(next(self._sequence))}
        for client in list(self._clients):
            client.tell(event)

    def heartbeat(self) -> None:
        """Beat once."""
        beat = {
            "Event-Info": "System Ready",
            "Session-Count": str(self.sessions),
            "Max-Sessions": str(self.maximum),
            "Idle-CPU": f"{self.idle:f}",
        }
        self.tell("HEARTBEAT", beat)

    def serve(self, connection: socket.socket) -> None:
        """Speak with one client until it leaves."""
        client = _Client(connection)
        self._clients.add(client)
        try:
            client.send("Content-Type: auth/request\n\n")
            stream = connection.makefile("rb")
            while not self._stopping.is_set() and (command := _command(stream)) is not None:
                if not self._answer(client, command):
                    return
        except OSError:
            return  # the client left
        finally:
            self._clients.discard(client)

    def _answer(self, client: "_Client", command: str) -> bool:
        """Answer a command; return whether the connection stays."""
        word, _, argument = command.partition(" ")
        if word == "exit":
            client.reply("+OK bye")
            client.say_goodbye()
            return False
        if not client.is_known:
            if word != "auth":
                client.reply("-ERR command not found")
                return True
            self.logins.append(argument)
            client.is_known = argument == self.password
            client.reply("+OK accepted" if client.is_known else "-ERR invalid")
            if not client.is_known:
                client.say_goodbye()
            return client.is_known
        self.commands.append(command)
        if word == "event":
            form, *names = argument.split()
            if not _KNOWN & set(names):
                client.reply("-ERR no keywords supplied")
                return True
            client.reply(f"+OK event listener enabled {form}")
            client.form, client.names = form, client.names | set(names)
            if self.interval is not None:
                self.heartbeat()
        elif word == "noevents":
            client.names = set()
            client.reply("+OK no longer listening for events")
        elif word == "api":
            client.send_api(self._run(argument))
        else:
            client.reply("-ERR command not found")
        return True

    def _run(self, command: str) -> str:
        if command == "show channels as json":
            if not self.database:
                return "-ERR SQL disabled, no data available!\n"
            rows: dict[str, Any] = {"row_count": len(self.channels)}
            return json.dumps({**rows, "rows": self.channels} if self.channels else rows) + "\n"
        if command == "status":
            return f"UP 0 years, 0 days\n{self.sessions} session(s) - peak 0\n{self.maximum} session(s) max\n"
        return f"-ERR {command.partition(' ')[0]} Command not found!\n"

    def _beat(self) -> None:
        while not self._stopping.wait(self.interval or 0.1):
            if self.interval is not None:
                self.heartbeat()


class _Client:
    """A client: what it may, and what it wants to hear."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self.is_known = False
        self.form = "plain"
        self.names: set[str] = set()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def send(self, text: str) -> None:
        with self._lock:
            self._connection.sendall(text.encode())

    def reply(self, text: str) -> None:
        self.send(f"Content-Type: command/reply\nReply-Text: {text}\n\n")

    def send_api(self, output: str) -> None:
        self.send(f"Content-Type: api/response\nContent-Length: {len(output.encode())}\n\n{output}")

    def say_goodbye(self) -> None:
        self.send(f"Content-Type: text/disconnect-notice\nContent-Length: {len(_GOODBYE)}\n\n{_GOODBYE}")

    def tell(self, event: Mapping[str, str]) -> None:
        if event["Event-Name"] not in self.names:
            return
        if self.form == "json":
            body = json.dumps(event)
        else:
            body = "".join(f"{name}: {quote(value)}\n" for name, value in event.items()) + "\n"
        with contextlib.suppress(OSError):  # it leaves
            self.send(f"Content-Length: {len(body.encode())}\nContent-Type: text/event-{self.form}\n\n{body}")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def _handler_of(event_socket: EventSocket) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            event_socket.serve(self.request)

    return Handler


def _command(stream: Any) -> str | None:
    """Return the first line of a command, which ends with an empty line; None when there is no more."""
    while line := stream.readline():
        if first := line.decode().strip():
            while stream.readline().strip():
                pass
            return str(first)
    return None
