"""A call's audio in the app's hands: taken over both ways, or listened to.

Neither needs a module that FreeSWITCH does not come with, nor a channel more; see `audio_pipes`. FreeSWITCH's `unicast`
was the other candidate. Measured with 1.10.12, it stops while an application runs, does not come back on the same
channel, and what it sends is interleaved with the silence that keeps NATs open (`send_silence_when_idle`). Listening
through a second channel (`eavesdrop`) would count as a call in FreeSWITCH's sessions and limits.
"""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Collection
from pathlib import Path
from typing import Final

from switch_app.call import FRAME_BYTES, Track
from switch_app.errors import CallEnded, MediaServerError
from switch_app.freeswitch.audio_pipes import HeardPipe, SpokenPipe
from switch_app.freeswitch.channel import Channel, to_the_end
from switch_app.freeswitch.interleaved import left_and_right

_numbers = itertools.count(1)

_AT_ONCE: Final = "enable_file_write_buffering=false,RECORD_PRE_BUFFER_FRAMES=1,record_sample_rate=8000"
"""Every frame is written when it passes, and not when some kilobytes are together."""

_TRACKS: Final = {Track.INBOUND: "RECORD_READ_ONLY=true", Track.OUTBOUND: "RECORD_WRITE_ONLY=true"}
_BOTH: Final = "RECORD_STEREO=true"

_FIRST_AND_MIXED: Final = "mf"
"""Added to the silence that goes out, so that what comes in stays as it is, and before whatever listens to it."""


@contextlib.asynccontextmanager
async def taken_over(
    channel: Channel, directory: Path, hear: Callable[[bytes], None], speak: Callable[[bool], bytes | None]
) -> AsyncIterator[SpokenPipe]:
    """Take over a channel's audio; see `switch_app.call.Call.media`.

    FreeSWITCH's clock leads: each frame that comes has the next one go out.
    """
    channel.require()
    with contextlib.ExitStack() as pipes:
        spoken = SpokenPipe(_path(directory, channel), speak)
        pipes.callback(spoken.close)

        def take(frame: bytes) -> None:
            hear(frame)
            spoken.beat()

        heard = HeardPipe(_path(directory, channel), FRAME_BYTES, take)
        pipes.callback(heard.close)
        async with (
            _begun(channel, "uuid_displace", spoken.path, f" 0 {_FIRST_AND_MIXED}"),
            _begun(channel, "uuid_record", heard.path, _recording(_TRACKS[Track.INBOUND])),
        ):
            yield spoken


@contextlib.asynccontextmanager
async def listened_to(
    channel: Channel, directory: Path, tracks: Collection[Track], hear: Callable[[Track, bytes], None]
) -> AsyncIterator[None]:
    """Listen to a channel; see `switch_app.call.Call.tap`."""
    channel.require()
    both = len(set(tracks)) > 1
    track = next(iter(tracks))

    def take_both(frame: bytes) -> None:
        inbound, outbound = left_and_right(frame)
        hear(Track.INBOUND, inbound)
        hear(Track.OUTBOUND, outbound)

    def take_one(frame: bytes) -> None:
        hear(track, frame)

    path = _path(directory, channel)
    heard = HeardPipe(path, 2 * FRAME_BYTES, take_both) if both else HeardPipe(path, FRAME_BYTES, take_one)
    with contextlib.closing(heard):
        async with _begun(channel, "uuid_record", path, _recording(_BOTH if both else _TRACKS[track])):
            yield


def _recording(what: str) -> str:
    return f" 0 {{{what},{_AT_ONCE}}}"


@contextlib.asynccontextmanager
async def _begun(channel: Channel, command: str, path: Path, options: str) -> AsyncIterator[None]:
    beginning = asyncio.ensure_future(channel.api(f"{command} {channel.uuid} start {path}{options}"))
    try:
        answer = await asyncio.shield(beginning)
        if not answer.startswith("+OK"):
            channel.require()
            raise MediaServerError(f"FreeSWITCH refuses {command}: {answer}")
        yield
    finally:
        # The pipes are served until FreeSWITCH has let go of them.
        await to_the_end(_end(channel, beginning, f"{command} {channel.uuid} stop {path}"))


async def _end(channel: Channel, beginning: "asyncio.Future[str]", command: str) -> None:
    with contextlib.suppress(CallEnded, MediaServerError):
        await beginning
        if not channel.ended.done():
            await channel.api(command)


def _path(directory: Path, channel: Channel) -> Path:
    return directory / f"{channel.uuid}-{next(_numbers)}.raw"
