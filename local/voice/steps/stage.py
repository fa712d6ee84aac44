"""What the steps with calls share: the system, an event loop with phones, and how things are awaited."""

import asyncio
import io
import time
import wave
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from local.errors import StepFailed
from local.run_directory import ROOT
from local.steps import Step, Waiting
from local.system import LocalSystem
from local.voice.loop import LoopThread
from local.voice.system import VoiceSystem
from tests.support.phone import PhoneCall
from tests.support.queue_events import job
from tests.support.speech_codec import share_of

T = TypeVar("T")
SCENARIOS = ROOT / "tests" / "e2e"
"""Where the tests' scenarios for SIPp lie, in folders by what they are about."""
_STEP_SECONDS = 60.0
_LOOK_SECONDS = 0.05
_PURE = 0.9
"""Share of a tone in what is heard: G.711 and a jitter buffer leave that much."""


@dataclass
class Stage:
    """Where the steps happen.

    Attributes:
        system: the control plane.
        voice: what carries calls.
        loop: where phones are.
        waiting: how long each thing is waited for.
        tasks: the ECS tasks that run, by name.

    """

    system: LocalSystem
    voice: VoiceSystem
    loop: LoopThread
    waiting: Waiting
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)

    def step(self, title: str, act: Callable[[], Coroutine[Any, Any, str]]) -> Step:
        """Return a step that is a coroutine of the phones' loop."""

        def do() -> str:
            try:
                return self.loop.run(act(), _STEP_SECONDS)
            except TimeoutError as error:
                raise StepFailed(f"{title}: not done after {_STEP_SECONDS:.0f} seconds") from error
            except (AssertionError, OSError) as error:  # a phone, a peer or SIPp saw something else
                raise StepFailed(f"{title}: {error}") from error

        return Step(title, do)

    @property
    def scratch(self) -> Path:
        """A directory for SIPp's files."""
        directory = self.system.scratch("sipp")
        directory.mkdir(exist_ok=True)
        return directory

    async def send_job(self, name: str, *arguments: Any) -> None:
        """Leave a job of the platform's in the queue."""
        queue, body = self.system.outputs["QueueUrl"], job(name, *arguments)
        await asyncio.to_thread(self.system.sqs.send_message, QueueUrl=queue, MessageBody=body)

    async def until(self, what: str, read: Callable[[], T], is_so: Callable[[T], object] = bool) -> T:
        """Read again and again, in a thread, until it is so."""
        return await asyncio.to_thread(self.waiting.until, what, read, lambda value: bool(is_so(value)))

    async def object_of(self, key: str) -> bytes:
        """Return an object of the recordings bucket once it is there."""
        find = self.system.s3.list_objects_v2

        def found() -> list[str]:
            return [each["Key"] for each in find(Bucket=self.system.bucket, Prefix=key).get("Contents", [])]

        await self.until(f"the object {key}", found, lambda keys: key in keys)
        answer = await asyncio.to_thread(self.system.s3.get_object, Bucket=self.system.bucket, Key=key)
        return answer["Body"].read()

    async def recording_of(self, sid: str) -> tuple[str, bytes]:
        """Return key and content of the recording of a call that the platform knows."""

        def told() -> list[str]:
            recordings = self.voice.platform.told("recordings").values()
            ours = [each for each in recordings if each["phone_call_id"] == sid]
            return [each["raw_recording_url"] for each in ours if "raw_recording_url" in each]

        (url,) = await self.until("the platform to be told of the recording", told)
        key = url.split("/", 3)[3]
        return key, await self.object_of(key)

    async def record_of(self, sid: str) -> dict[str, Any]:
        """Return the one data record of a call that counts."""
        records = await self.until("the call data record", lambda: self.voice.platform.records_of(sid))
        if len(records) != 1:
            raise StepFailed(f"call {sid} has {len(records)} data records that count")
        return records[0]


async def within(what: str, seconds: float, awaitable: Awaitable[T]) -> T:
    """Await something, and say what it was that did not come."""
    try:
        async with asyncio.timeout(seconds):
            return await awaitable
    except TimeoutError:
        raise StepFailed(f"waited {seconds:g} seconds for {what}") from None


async def hears(call: PhoneCall, frequency: int, seconds: float = 5.0) -> float:
    """Wait until a phone hears a tone, and return how many seconds that took."""
    began = time.monotonic()
    while time.monotonic() < began + seconds:
        if is_tone(frequency, call.heard[-1600:]):
            return time.monotonic() - began
        await asyncio.sleep(_LOOK_SECONDS)
    raise StepFailed(f"waited {seconds:g} seconds for a tone of {frequency} Hz; {len(call.heard)} samples were heard")


def is_tone(frequency: int, samples: list[int]) -> bool:
    """Tell whether 0.2 seconds of sound are a tone."""
    return len(samples) >= 1600 and share_of(frequency, samples) > _PURE


def has_tone(frequency: int, samples: list[int]) -> bool:
    """Tell whether a tone is somewhere in a recording."""
    return any(is_tone(frequency, samples[at : at + 1600]) for at in range(0, len(samples) - 1600, 800))


def samples_of(content: bytes) -> list[int]:
    """Return the samples of a WAV file of 16 bits."""
    with wave.open(io.BytesIO(content)) as file:
        frames = file.readframes(file.getnframes())
    return [int.from_bytes(frames[at : at + 2], "little", signed=True) for at in range(0, len(frames), 2)]
