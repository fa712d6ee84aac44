"""One media stream: a call's audio and keys into its messages, its messages into what the caller hears."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from switch_app.call import FRAME_SECONDS, Track
from switch_app.counts import Count
from switch_app.errors import InvalidMessage
from switch_app.media_streams.audio import FRAME_BYTES, to_linear, to_mulaw
from switch_app.media_streams.messages import Audio, Mark, Outgoing, read_message
from switch_app.media_streams.playback import Playback
from switch_app.media_streams.web_sockets import WebSocket

_MILLISECONDS_A_BYTE: Final = 1000 * FRAME_SECONDS / FRAME_BYTES
_REPORTS_MAXIMUM: Final = 1000

Report = Callable[[str, Mapping[str, Any]], None]
"""Tells the platform that something happened: what, and details."""


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """What waits at most, a stream.

    Attributes:
        playback_seconds: of audio that the caller is still to hear.
        outgoing_messages: for the other side to take. Audio beyond it is dropped; what is no audio may be as many
            again, and then the stream ends.

    """

    playback_seconds: int = 300
    outgoing_messages: int = 500


class Conversation:
    """One stream, whose WebSocket is open.

    Nothing that the call's side calls waits: what the other side does not take in time is dropped and told.

    Args:
        socket: its WebSocket.
        outgoing: makes its messages.
        stream_sid: the platform's identifier of it.
        limits: what waits at most.
        report: told what happens; a bounded number of times a stream.
        count: counts `MediaStreamOverflow` once for each time that audio begins to be dropped.

    """

    def __init__(
        self,
        socket: WebSocket,
        outgoing: Outgoing,
        stream_sid: str,
        limits: StreamLimits,
        report: Report,
        count: Count,
    ) -> None:
        self._socket, self._outgoing, self._stream_sid, self._limits = socket, outgoing, stream_sid, limits
        self._tell, self._count = report, count
        self._playback = Playback(round(limits.playback_seconds / FRAME_SECONDS) * FRAME_BYTES)
        # The call may speak before `run` does.
        self._queue: deque[str] = deque([outgoing.connected(), outgoing.start()])
        self._queued = asyncio.Event()
        self._queued.set()
        self._overflows: dict[str, float] = {}
        self._reports = 0
        self._is_broken = False
        self.wake: Callable[[], None] = _nothing

    # --- what the call says

    def hear(self, track: Track, frame: bytes) -> None:
        """Take 20 ms of a track, linear samples."""
        if len(self._queue) >= self._limits.outgoing_messages:
            self._outgoing.skip(track)
            self._overflow("outgoing", FRAME_SECONDS * 1000)
            return
        self._end_overflow("outgoing", len(self._queue) * 2 < self._limits.outgoing_messages)
        self._put(self._outgoing.media(track, to_mulaw(frame)))

    def press(self, digit: str) -> None:
        """Take a key that the caller has pressed."""
        self._put(self._outgoing.dtmf(digit))
        self._report("dtmf")

    def speak(self, is_due: bool) -> bytes | None:
        """Return the next 20 ms that the caller is to hear, linear samples; None for none."""
        frame = self._playback.take(is_due=is_due)
        for name in self._playback.due_marks():
            self._return(name)
        return None if frame is None else to_linear(frame)

    # --- its life

    async def run(self) -> None:
        """Exchange messages until the WebSocket is closed, or cannot go on."""
        self._report("start")
        tasks = [asyncio.ensure_future(work()) for work in (self._send, self._receive)]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def finish(self, seconds: float) -> None:
        """Say that it ends, and close.

        Args:
            seconds: how long the other side may take to take what is left.

        """
        for direction in list(self._overflows):
            self._end_overflow(direction, True)
        try:
            async with asyncio.timeout(seconds):
                if self._socket.close_code is None:
                    for text in [*self._queue, self._outgoing.stop()]:
                        await self._socket.send(text)
        except (TimeoutError, ConnectionError):
            pass  # it is closed all the same; that it ended is told by whoever ends it
        finally:
            await self._socket.close()

    # --- within

    async def _send(self) -> None:
        queue = self._queue
        while not self._is_broken:
            await self._queued.wait()
            self._queued.clear()
            while queue:
                try:
                    await self._socket.send(queue[0])
                except ConnectionError:
                    return
                queue.popleft()

    async def _receive(self) -> None:
        while (text := await self._socket.receive()) is not None:
            try:
                message = read_message(text, self._stream_sid)
            except InvalidMessage as error:
                self._report("error", {"message": str(error)})
                continue
            if isinstance(message, Audio):
                self._play(message.payload)
            elif isinstance(message, Mark):
                self._mark(message.name)
            else:
                self._report("socket_clear")
                for name in self._playback.clear():
                    self._return(name)

    def _play(self, audio: bytes) -> None:
        if dropped := self._playback.add(audio):
            self._overflow("playback", dropped * _MILLISECONDS_A_BYTE)
        else:
            capacity = self._limits.playback_seconds / FRAME_SECONDS * FRAME_BYTES
            self._end_overflow("playback", len(self._playback) * 2 < capacity)
        self.wake()

    def _mark(self, name: str) -> None:
        self._report("socket_mark")
        if not self._playback.mark(name):
            self._report("error", {"message": "too many marks wait"})
        for due in self._playback.due_marks():
            self._return(due)

    def _return(self, name: str) -> None:
        self._put(self._outgoing.mark(name))
        self._report("mark")

    def _put(self, text: str) -> None:
        if len(self._queue) >= 2 * self._limits.outgoing_messages:
            if not self._is_broken:
                self._report("error", {"message": "the other side takes no messages"})
            self._is_broken = True
        else:
            self._queue.append(text)
        self._queued.set()

    def _overflow(self, direction: str, milliseconds: float) -> None:
        if direction not in self._overflows:
            self._count("MediaStreamOverflow")
            self._report("buffer_overrun", {"direction": direction})
        self._overflows[direction] = self._overflows.get(direction, 0.0) + milliseconds

    def _end_overflow(self, direction: str, is_over: bool) -> None:
        """Tell how much was dropped, once there is room again."""
        if is_over and direction in self._overflows:
            milliseconds = round(self._overflows.pop(direction))
            self._report("buffer_overrun", {"direction": direction, "milliseconds": milliseconds})

    def _report(self, kind: str, details: Mapping[str, Any] | None = None) -> None:
        """Tell something, unless this stream has told so much that others' events would be crowded out."""
        self._reports += 1
        if self._reports < _REPORTS_MAXIMUM:
            self._tell(kind, details or {})
        elif self._reports == _REPORTS_MAXIMUM:
            self._tell("error", {"message": "more happens than is told"})


def _nothing() -> None:
    """Wake nobody: nothing is spoken yet."""
