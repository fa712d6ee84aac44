"""FreeSWITCH's event socket, as far as OpenSIPS's freeswitch module speaks with it: a login and heartbeats.

What it must say and in which order was seen with OpenSIPS 3.6 and is FreeSWITCH's own protocol: `Content-Type:
auth/request` first, `Reply-Text: +OK accepted` to the password, `+OK` to `event json HEARTBEAT`, and then a
`text/event-json` event at every beat.
"""

import json
import socket
import socketserver
import threading
from typing import Any, Self


class EventSocket:
    """An event socket, as a context: while it lasts, it listens and beats.

    Args:
        address: where it listens.
        port: see `address`.
        password: what a client must know.
        interval: seconds between two heartbeats; None for a FreeSWITCH that sends none.

    Attributes:
        sessions: calls that it says it has.
        maximum: calls that it says it can have.
        logins: passwords that were tried.

    """

    def __init__(self, address: str, port: int = 8021, password: str = "ClueCon", interval: float | None = 1.0) -> None:
        self.address, self.port, self.password, self.interval = address, port, password, interval
        self.sessions, self.maximum, self.idle = 0, 150, 98.5
        self.logins: list[str] = []
        self.connections = 0
        self._stopping = threading.Event()
        self._server = _Server((address, port), _handler_of(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def serve(self, connection: socket.socket) -> None:
        """Speak with one client until it leaves."""
        self.connections += 1
        stream = connection.makefile("rb")
        connection.sendall(b"Content-Type: auth/request\n\n")
        try:
            if not self._login(connection, _command(stream)):
                return
            if _command(stream).startswith("event json"):
                connection.sendall(b"Content-Type: command/reply\nReply-Text: +OK event listener enabled json\n\n")
                self._beat(connection)
        except OSError:
            return  # the client left
        finally:
            self.connections -= 1

    def _login(self, connection: socket.socket, command: str) -> bool:
        verb, _, password = command.partition(" ")
        if verb != "auth":
            connection.sendall(b"Content-Type: command/reply\nReply-Text: -ERR command not found\n\n")
            return False
        self.logins.append(password)
        accepted = password == self.password
        text = b"+OK accepted" if accepted else b"-ERR invalid"
        connection.sendall(b"Content-Type: command/reply\nReply-Text: " + text + b"\n\n")
        return accepted

    def _beat(self, connection: socket.socket) -> None:
        connection.settimeout(0.05)
        while not self._stopping.is_set():
            if self.interval is not None:
                body = json.dumps(
                    {
                        "Event-Name": "HEARTBEAT",
                        "Session-Count": str(self.sessions),
                        "Max-Sessions": str(self.maximum),
                        "Idle-CPU": f"{self.idle:f}",
                    }
                ).encode()
                head = f"Content-Length: {len(body)}\nContent-Type: text/event-json\n\n"
                connection.sendall(head.encode() + body)
            for _ in range(int((self.interval or 1.0) / 0.05)):
                try:
                    if not connection.recv(4096) or self._stopping.is_set():
                        return
                except TimeoutError:
                    if self._stopping.is_set():
                        return


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def _handler_of(event_socket: EventSocket) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            event_socket.serve(self.request)

    return Handler


def _command(stream: Any) -> str:
    """Return the first line of a command; a command ends with an empty line."""
    first = stream.readline().decode().strip()
    while first and stream.readline().strip():
        pass
    return str(first)
