"""A call on FreeSWITCH, as verbs see one."""

import asyncio
import logging
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Final

from switch_app.call import (
    AudioFile,
    Beep,
    DialRequest,
    DialResult,
    Media,
    Prompt,
    Recorded,
    RecordRequest,
    Rejection,
    Silence,
    Speech,
    Track,
)
from switch_app.errors import MediaServerError
from switch_app.freeswitch.channel import Channel, headers_sent, to_the_end
from switch_app.freeswitch.dialling import Dialling
from switch_app.freeswitch.legs import DialledLegs
from switch_app.freeswitch.media import listened_to, taken_over

logger = logging.getLogger(__name__)

_REJECTIONS: Final[Mapping[Rejection, tuple[str, str]]] = {
    Rejection.DECLINE: ("CALL_REJECTED", "603"),
    Rejection.BUSY: ("USER_BUSY", "486"),
    Rejection.FORBIDDEN: ("INCOMING_CALL_BARRED", "403"),
    Rejection.UNAVAILABLE: ("NORMAL_TEMPORARY_FAILURE", "503"),
}
"""FreeSWITCH's cause, and the status that it makes of it."""

_BEEP: Final = "tone_stream://%(250,0,1000)"
"""A quarter of a second of 1 kHz."""

_SILENCE_ENERGY: Final = 200
"""What counts as silence while it is recorded: the mean of the samples' magnitude, of 32767."""

_DIGITS: Final = re.compile(r"[0-9*#A-DwW]*")
_KEY_SECONDS: Final = 0.35
_PAUSES: Final = {"w": 0.5, "W": 1.0}


class FreeSwitchCall:
    """A call; see `switch_app.call.Call`.

    Args:
        channel: its first leg.
        legs: where what happens to dialled legs is told.
        pipes: a directory that FreeSWITCH reaches, for the pipes that audio goes through.

    """

    def __init__(self, channel: Channel, legs: DialledLegs, pipes: Path) -> None:
        self._channel, self._legs, self._pipes = channel, legs, pipes
        self._headers: Mapping[str, str] = {}  # that answers have from here on

    @property
    def uuid(self) -> str:
        """The channel's identifier."""
        return self._channel.uuid

    @property
    def is_answered(self) -> bool:
        """Whether the call has been answered."""
        return self._channel.is_answered

    @property
    def variables(self) -> Mapping[str, str]:
        """FreeSWITCH's variables as the call came."""
        return self._channel.variables

    async def set_variables(self, variables: Mapping[str, str]) -> None:
        """Set channel variables."""
        await self._channel.set_variables(variables)

    async def progress(self, variables: Mapping[str, str], headers: Mapping[str, str]) -> None:
        """Set channel variables, and send 183 with some headers."""
        await self._channel.set_variables_and_execute({**variables, **headers_sent(headers)}, "pre_answer")
        self._headers = dict(headers)

    async def answer(self, headers: Mapping[str, str]) -> None:
        """Send 200 with some headers."""
        self._channel.require()
        if self.is_answered:
            return
        await self._send_with_answers(headers)
        await self._channel.execute("answer")

    async def reject(self, rejection: Rejection, headers: Mapping[str, str]) -> None:
        """Refuse the call; it ends."""
        if self.is_answered:
            raise MediaServerError("a call that is answered cannot be refused")
        cause, status = _REJECTIONS[rejection]
        # FreeSWITCH does not write down what it answers itself.
        await self._channel.set_variables({**headers_sent(headers), "sip_term_status": status})
        await self._channel.hangup(cause)

    async def hangup(self) -> None:
        """End the call; a caller who was not answered is sent 480."""
        if not self.is_answered:
            await self._channel.set_variables({"sip_term_status": "480"})
        await self._channel.hangup("NORMAL_CLEARING")

    async def play(self, prompts: Sequence[Prompt]) -> None:
        """Play prompts one after the other."""
        self._channel.require()
        for prompt in prompts:
            application, argument = _played(prompt)
            if application is None:
                continue
            event = await self._channel.execute(application, argument)
            response = event.headers.get("Application-Response", "")
            if response.startswith(("FILE NOT FOUND", "PLAYBACK ERROR")):
                extra = {"call_uuid": self.uuid, "kind": type(prompt).__name__, "reason": response}
                logger.warning("prompt is skipped", extra=extra)

    async def send_digits(self, digits: str) -> None:
        """Send keys, and return when they have been sent."""
        if not _DIGITS.fullmatch(digits):
            raise MediaServerError("keys are 0-9 * # A-D, and w and W for pauses")
        self._channel.require()
        if not digits:
            return
        await self._channel.execute("send_dtmf", digits)
        # FreeSWITCH sends them with the audio, and returns at once.
        await self.play([Silence(sum(_PAUSES.get(digit, _KEY_SECONDS) for digit in digits))])

    def discard_digits(self) -> None:
        """Forget the keys that were pressed so far."""
        self._channel.discard_digits()

    async def next_digit(self, timeout: float | None) -> str | None:
        """Return the next key."""
        return await self._channel.next_digit(timeout)

    async def record(self, request: RecordRequest) -> Recorded:
        """Record the caller."""
        channel = self._channel
        channel.require()
        path = str(request.path)
        if not request.path.is_absolute() or re.search(r"[\s,\\'|{}\[\]]", path):
            raise MediaServerError(f"a recording cannot be written to {path!r}")
        await channel.set_variables({"record_sample_rate": "8000"})
        silence = f" {_SILENCE_ENERGY} {request.silence_seconds}" if request.silence_seconds else ""
        recording = channel.begin("record", f"{path} {request.maximum_seconds}{silence}")
        pressed: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def take(digit: str) -> bool:
            if digit not in request.finish_keys or pressed.done():
                return False
            pressed.set_result(digit)
            return True

        channel.on_digit = take
        try:
            futures: list[asyncio.Future[Any]] = [recording, pressed]
            await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
        finally:
            channel.on_digit = None
            await to_the_end(channel.break_off(recording))
            request.path.touch()
        recording.result()
        return Recorded(request.path, pressed.result() if pressed.done() else None, channel.ended.done())

    async def dial(self, request: DialRequest) -> DialResult:
        """Ring others and join the first who answers."""
        return await Dialling(self._channel, self._legs, request).run()

    def media(
        self, hear: Callable[[bytes], None], speak: Callable[[bool], bytes | None]
    ) -> AbstractAsyncContextManager[Media]:
        """Take over the audio."""
        return taken_over(self._channel, self._pipes, hear, speak)

    def tap(self, tracks: Collection[Track], hear: Callable[[Track, bytes], None]) -> AbstractAsyncContextManager[None]:
        """Listen to the audio."""
        return listened_to(self._channel, self._pipes, tracks, hear)

    async def wait_until_ended(self) -> str:
        """Return when the call is gone."""
        return await asyncio.shield(self._channel.ended)

    async def _send_with_answers(self, headers: Mapping[str, str]) -> None:
        """Have answers carry some headers; FreeSWITCH need not be told twice."""
        if headers != self._headers:
            await self._channel.set_variables(headers_sent(headers))
            self._headers = dict(headers)


def _played(prompt: Prompt) -> tuple[str | None, str]:
    """Return the application that plays a prompt, and its argument; None for one that there is nothing to hear of."""
    if isinstance(prompt, AudioFile):
        return "playback", str(prompt.path)
    if isinstance(prompt, Speech):
        # FreeSWITCH ends the call for a text that is empty.
        return ("speak", f"flite|{prompt.voice}|{prompt.text}") if prompt.text.strip() else (None, "")
    if isinstance(prompt, Beep):
        return "playback", _BEEP
    if isinstance(prompt, Silence):
        milliseconds = round(prompt.seconds * 1000)
        return ("playback", f"silence_stream://{milliseconds}") if milliseconds > 0 else (None, "")
    raise TypeError(type(prompt))
