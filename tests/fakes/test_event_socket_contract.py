"""What the event logger and OpenSIPS rely on in FreeSWITCH's event socket: asked of the stand-in always, of FreeSWITCH
itself where it is installed."""

import asyncio
import json
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from freeswitch_event_logger.channels import COMMAND, channel_uuids
from freeswitch_event_logger.event_lines import heartbeat_of, line_of
from switch_app.freeswitch.messages import Event, Message, Parser, command
from tests.fakes.event_socket import EventSocket
from tests.support import freeswitch
from tests.support.freeswitch import FreeSwitchProcess
from tests.support.loopback import LoopbackNetwork
from tests.support.phone import Phone

SID = "6c4a3b54-95c7-4c3e-9b5d-3f3bd9b2ad10"


class Peer(Protocol):
    """An event socket of either sort, and a call of its FreeSWITCH."""

    address: str
    password: str

    async def begin_call(self, identifier: str) -> None: ...

    async def end_call(self, identifier: str) -> None: ...


class Fake:
    """The stand-in."""

    password = "ClueCon"

    def __init__(self, server: EventSocket) -> None:
        self.server, self.address = server, server.address

    async def begin_call(self, identifier: str) -> None:
        self.server.channels.append({"uuid": identifier, "direction": "outbound"})
        self.server.sessions += 1
        for name in ("CHANNEL_CREATE", "CHANNEL_ANSWER"):
            self.server.tell(name, self._headers(identifier))

    async def end_call(self, identifier: str) -> None:
        self.server.channels.clear()
        self.server.sessions -= 1
        headers = {**self._headers(identifier), "Hangup-Cause": "USER_BUSY"}
        self.server.tell("CHANNEL_HANGUP_COMPLETE", headers)

    def _headers(self, identifier: str) -> dict[str, str]:
        names = {"Unique-ID": identifier, "Call-Direction": "outbound", "Channel-State": "CS_INIT"}
        return {**names, "variable_sip_h_X-Somleng-CallSid": SID, "variable_duration": "0", "variable_billsec": "0"}


class Real:
    """FreeSWITCH, which calls a phone."""

    password = freeswitch.PASSWORD

    def __init__(self, address: str, phone: Phone) -> None:
        self.address, self.phone = address, phone

    async def begin_call(self, identifier: str) -> None:
        variables = f"origination_uuid={identifier},sip_h_X-Somleng-CallSid={SID}"
        line = f"bgapi originate {{{variables}}}sofia/nat_gateway/1@{self.phone.address} &park()"
        client = await Client.logged_in(self)
        await client.ask(line)
        await (await self.phone.next_call()).answer()
        client.close()

    async def end_call(self, identifier: str) -> None:
        client = await Client.logged_in(self)
        await client.ask(f"api uuid_kill {identifier} USER_BUSY")
        client.close()


class Client:
    """A client of an event socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer, self._parser = reader, writer, Parser()
        self._messages: list[Message] = []

    @classmethod
    async def connected(cls, peer: Peer) -> "Client":
        client = cls(*await asyncio.open_connection(peer.address, 8021))
        assert (await client.next()).content_type == "auth/request"
        return client

    @classmethod
    async def logged_in(cls, peer: Peer) -> "Client":
        client = await cls.connected(peer)
        assert await client.ask(f"auth {peer.password}") == "+OK accepted"
        return client

    async def next(self) -> Message:
        async with asyncio.timeout(5):
            while not self._messages:
                data = await self._reader.read(65_536)
                if not data:
                    raise EOFError
                self._messages += self._parser.feed(data)
        return self._messages.pop(0)

    async def ask(self, line: str) -> str:
        """Send a command and return its answer."""
        self._writer.write(command(line))
        while (message := await self.next()).content_type not in ("command/reply", "api/response"):
            pass
        return message.reply

    async def event(self, name: str, identifier: str | None = None) -> Event:
        """Return the next event of a name, and of a channel."""
        while True:
            message = await self.next()
            if message.content_type == "text/event-plain":
                event = message.event()
                if event.name == name and identifier in (None, event.uuid):
                    return event

    def close(self) -> None:
        self._writer.close()


@pytest.fixture(scope="module")
def process() -> Iterator[FreeSwitchProcess]:
    directory, address = Path(tempfile.mkdtemp(prefix="fs-")), LoopbackNetwork().address()
    with FreeSwitchProcess(directory, address, f"{address}:8084") as process:
        yield process
        process.stop(kill=True)  # its own end takes seconds
    shutil.rmtree(directory)


KINDS = [
    "fake",
    pytest.param("real", marks=[pytest.mark.e2e, pytest.mark.skipif(not freeswitch.BINARY, reason=freeswitch.MISSING)]),
]


@pytest.fixture(params=KINDS)
async def peer(request: pytest.FixtureRequest) -> AsyncIterator[Peer]:
    address = LoopbackNetwork().address()
    if request.param == "fake":
        with EventSocket(address, interval=0.2) as server:
            yield Fake(server)
    else:
        process: FreeSwitchProcess = request.getfixturevalue("process")
        async with Phone(address) as phone:
            yield Real(process.address, phone)


async def test_nothing_is_answered_before_the_login(peer: Peer) -> None:
    client = await Client.connected(peer)
    assert await client.ask("api status") == "-ERR command not found"
    assert await client.ask(f"auth {peer.password}") == "+OK accepted"
    client.close()


async def test_a_wrong_password_ends_the_connection(peer: Peer) -> None:
    client = await Client.connected(peer)
    assert await client.ask("auth wrong") == "-ERR invalid"
    assert (await client.next()).content_type == "text/disconnect-notice"
    with pytest.raises(EOFError):
        await client.next()


async def test_an_unknown_command_is_refused(peer: Peer) -> None:
    client = await Client.logged_in(peer)
    assert await client.ask("nonsense") == "-ERR command not found"
    assert await client.ask("api nonsense") == "-ERR nonsense Command not found!"
    client.close()


async def test_unknown_events_are_refused_only_when_no_known_one_is_named(peer: Peer) -> None:
    client = await Client.logged_in(peer)
    assert await client.ask("event plain NONSENSE") == "-ERR no keywords supplied"
    assert await client.ask("event plain NONSENSE CHANNEL_CREATE") == "+OK event listener enabled plain"
    assert await client.ask("noevents") == "+OK no longer listening for events"
    client.close()


async def test_heartbeats_come_and_tell_of_sessions(peer: Peer) -> None:
    client = await Client.logged_in(peer)
    await client.ask("event plain HEARTBEAT")
    heartbeat = heartbeat_of(await client.event("HEARTBEAT"))
    assert heartbeat is not None
    assert (heartbeat.sessions, heartbeat.maximum) == (0, 150)
    assert 0 <= heartbeat.idle_cpu <= 100
    await client.event("HEARTBEAT")
    client.close()


async def test_heartbeats_come_as_json_too(peer: Peer) -> None:
    client = await Client.logged_in(peer)
    assert await client.ask("event json HEARTBEAT") == "+OK event listener enabled json"
    message = await client.next()
    assert message.content_type == "text/event-json"
    event: dict[str, Any] = json.loads(message.body)
    assert (event["Event-Name"], event["Session-Count"], event["Max-Sessions"]) == ("HEARTBEAT", "0", "150")
    float(event["Idle-CPU"])
    client.close()


async def test_status_is_told(peer: Peer) -> None:
    client = await Client.logged_in(peer)
    status = await client.ask("api status")
    assert status.startswith("UP 0 years, 0 days")
    assert "150 session(s) max" in status
    client.close()


async def test_a_call_is_listed_while_it_lives_and_its_events_are_told(peer: Peer) -> None:
    client, identifier = await Client.logged_in(peer), str(uuid.uuid4())
    assert channel_uuids(await client.ask(f"api {COMMAND}")) == []
    await client.ask("event plain CHANNEL_CREATE CHANNEL_ANSWER CHANNEL_HANGUP_COMPLETE")
    await peer.begin_call(identifier)
    lines = [line_of(await client.event(name, identifier)) for name in ("CHANNEL_CREATE", "CHANNEL_ANSWER")]
    other = await Client.logged_in(peer)
    async with asyncio.timeout(5):  # its list is written a moment later
        while channel_uuids(await other.ask(f"api {COMMAND}")) != [identifier]:
            await asyncio.sleep(0.05)
    await peer.end_call(identifier)
    lines.append(line_of(await client.event("CHANNEL_HANGUP_COMPLETE", identifier)))
    async with asyncio.timeout(5):
        while channel_uuids(await other.ask(f"api {COMMAND}")):
            await asyncio.sleep(0.05)
    for line in lines:
        assert (line["call_uuid"], line["direction"], line["call_sid"]) == (identifier, "outbound", SID)
    assert lines[-1]["hangup_cause"] == "USER_BUSY"
    assert {"duration", "billed_seconds"} <= lines[-1].keys()
    client.close()
    other.close()
