"""The connection to FreeSWITCH: kept, made again, and every command gets its own answer."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from switch_app.errors import MediaServerError
from switch_app.freeswitch.event_socket import EventSocket, EventSocketAddress
from switch_app.freeswitch.messages import Event
from tests.fakes.freeswitch import FakeFreeSwitch


class Client:
    """An event socket that runs, and what it told."""

    def __init__(self, port: int, password: str = "secret") -> None:
        self.events: list[Event] = []
        self.connected = 0
        self.lost = 0
        address = EventSocketAddress("127.0.0.1", port, password)
        self.socket = EventSocket(address, self.events.append, self._connect, self._lose, delays=(0.02, 0.1))
        self.task = asyncio.ensure_future(self.socket.run())

    async def _connect(self) -> None:
        self.connected += 1

    def _lose(self) -> None:
        self.lost += 1

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not is_so():
                await asyncio.sleep(0.01)


@pytest.fixture
async def freeswitch() -> AsyncIterator[FakeFreeSwitch]:
    async with FakeFreeSwitch() as freeswitch:
        yield freeswitch


@pytest.fixture
async def client(freeswitch: FakeFreeSwitch) -> AsyncIterator[Client]:
    client = Client(freeswitch.port)
    await client.until(lambda: client.connected == 1)
    yield client
    client.task.cancel()
    await asyncio.gather(client.task, return_exceptions=True)


async def test_it_logs_in_and_subscribes(client: Client, freeswitch: FakeFreeSwitch) -> None:
    assert freeswitch.commands[0] == "auth secret"
    assert freeswitch.commands[1].startswith("event plain CHANNEL_CREATE ")


async def test_commands_at_the_same_time_get_their_own_answers(client: Client, freeswitch: FakeFreeSwitch) -> None:
    freeswitch.answer = lambda line: line.upper()
    answers = await asyncio.gather(*(client.socket.api(f"echo {number}") for number in range(20)))
    assert answers == [f"ECHO {number}" for number in range(20)]


async def test_a_command_that_is_given_up_does_not_shift_the_answers(
    client: Client, freeswitch: FakeFreeSwitch
) -> None:
    freeswitch.answer = lambda line: line
    given_up = asyncio.ensure_future(client.socket.api("first"))
    await asyncio.sleep(0)
    given_up.cancel()
    assert await client.socket.api("second") == "second"


async def test_events_come_in_their_order(client: Client, freeswitch: FakeFreeSwitch) -> None:
    for number in range(5):
        freeswitch.tell("CHANNEL_CREATE", {"Unique-ID": f"channel {number}"})
    await client.until(lambda: len(client.events) == 5)
    assert [event.uuid for event in client.events] == [f"channel {number}" for number in range(5)]


async def test_a_background_job_returns_its_own_result(client: Client, freeswitch: FakeFreeSwitch) -> None:
    jobs = [asyncio.ensure_future(client.socket.background(f"originate {number}")) for number in range(2)]
    await client.until(lambda: len(freeswitch.jobs) == 2)
    freeswitch.tell("BACKGROUND_JOB", {"Job-UUID": "of somebody else"}, "+OK theirs\n")
    for number in (1, 0):
        freeswitch.tell("BACKGROUND_JOB", {"Job-UUID": freeswitch.jobs[number]}, f"+OK {number}\n")
    assert await asyncio.gather(*jobs) == ["+OK 0", "+OK 1"]
    assert client.events == []


async def test_a_lost_connection_is_told_and_made_again(client: Client, freeswitch: FakeFreeSwitch) -> None:
    job = asyncio.ensure_future(client.socket.background("originate"))
    await client.until(lambda: len(freeswitch.jobs) == 1)
    freeswitch.drop()
    with pytest.raises(MediaServerError, match="lost"):
        await asyncio.wait_for(job, 2)
    assert client.lost == 1
    await client.until(lambda: client.connected == 2)
    assert await client.socket.api("status") == "+OK"


async def test_a_command_without_an_answer_fails_when_the_connection_is_lost(
    client: Client, freeswitch: FakeFreeSwitch
) -> None:
    def drop(_: str) -> str:
        freeswitch.drop()
        return ""

    freeswitch.answer = drop
    with pytest.raises(MediaServerError):
        await asyncio.wait_for(client.socket.api("status"), 2)


async def test_while_freeswitch_is_away_it_says_so_and_finds_it_when_it_is_back(
    client: Client, freeswitch: FakeFreeSwitch
) -> None:
    await freeswitch.stop()
    await client.until(lambda: client.lost == 1)
    with pytest.raises(MediaServerError, match="FreeSWITCH is not reached"):
        await client.socket.api("status")
    await freeswitch.listen()
    await client.until(lambda: client.connected == 2)


@pytest.mark.parametrize(
    "garbage",
    [b"HTTP/1.1 200 OK\n\n", b"Content-Type: strange\n\n", b"Content-Type: command/reply\nReply-Text: +OK\n\n"],
    ids=["no header", "unknown kind", "answer to nothing"],
)
async def test_what_is_not_the_protocol_ends_the_connection(
    client: Client, freeswitch: FakeFreeSwitch, garbage: bytes
) -> None:
    freeswitch.send(garbage)
    await client.until(lambda: client.connected == 2)


async def test_a_wrong_password_is_told_without_it(freeswitch: FakeFreeSwitch) -> None:
    client = Client(freeswitch.port, "not it")
    await client.until(lambda: len(freeswitch.commands) > 1)
    with pytest.raises(MediaServerError, match="refuses auth") as caught:
        await client.socket.api("status")
    assert "not it" not in str(caught.value)
    client.task.cancel()


async def test_an_address_that_may_not_log_in_is_told(freeswitch: FakeFreeSwitch) -> None:
    body = b"Access Denied, go away.\n"
    freeswitch.greeting = b"Content-Type: text/rude-rejection\nContent-Length: %d\n\n%s" % (len(body), body)
    client = Client(freeswitch.port)
    await asyncio.sleep(0.1)
    with pytest.raises(MediaServerError, match="is not reached"):
        await client.socket.api("status")
    client.task.cancel()
