"""The seam between what TwiML wants of a call and the media server that does it.

A verb acts on a `Call` and knows no FreeSWITCH; FreeSWITCH's side knows no TwiML. Both the real one and the fake are
held to the same contract tests.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol


@dataclass(frozen=True, slots=True)
class AudioFile:
    """A recording or music on a disk that the media server reads.

    Attributes:
        path: its name ends with the format that it has (`.wav`, `.mp3`).

    """

    path: Path


@dataclass(frozen=True, slots=True)
class Speech:
    """A text that the media server speaks itself.

    Attributes:
        voice: flite's name of the voice: `kal`, `slt`.
        text: what is said; any characters.

    """

    voice: str
    text: str


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing, for a while."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Beep:
    """The tone before a recording begins."""


Prompt = AudioFile | Speech | Silence | Beep
"""What a caller can be given to hear."""


class Rejection(StrEnum):
    """How a call is refused before it is answered."""

    DECLINE = "decline"
    """SIP 603."""
    BUSY = "busy"
    """SIP 486."""
    FORBIDDEN = "forbidden"
    """SIP 403."""
    UNAVAILABLE = "unavailable"
    """SIP 503: this switch cannot take the call now, another one may."""


@dataclass(frozen=True, slots=True)
class RecordRequest:
    """What is to be recorded of the caller.

    Attributes:
        path: a WAV file that does not exist yet; one channel.
        maximum_seconds: when it ends in any case.
        silence_seconds: how long the caller may be silent before it ends; None for as long as it takes.
        finish_keys: the keys that end it; empty for none.

    """

    path: Path
    maximum_seconds: int
    silence_seconds: int | None
    finish_keys: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of a recording.

    Attributes:
        path: the file, closed; it exists even when it is empty.
        digit: the key that ended it; None when something else did.
        hung_up: whether the caller's hanging up ended it. The call can do nothing more then, but the file is whole.

    """

    path: Path
    digit: str | None = None
    hung_up: bool = False


@dataclass(frozen=True, slots=True)
class SipCredentials:
    """What another SIP server wants to know; the password never reaches a log (no repr)."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Leg:
    """A leg that is to be dialled.

    Attributes:
        uuid: the channel's identifier, chosen here.
        address: user and host of the request URI, `85516701721@27.109.112.140`.
        profile: what it leaves by: `nat_gateway`, `uac_nat_instance`, `test`.
        proxy: `host:port` of the gateway that it goes through; None for straight to the address.
        caller_id: what the callee is shown.
        headers: SIP headers of the INVITE.
        call_sid: the platform's identifier of the call, which the call data record carries.
        credentials: for an address that asks for them.
        send_digits: played to the callee once answered, before the legs are joined; `w` waits half a second.
        variables: channel variables that the leg has from its beginning, by FreeSWITCH's names: `cgr_account`.

    """

    uuid: str
    address: str
    profile: str
    caller_id: str
    call_sid: str
    proxy: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    credentials: SipCredentials | None = None
    send_digits: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)


def _ask_nothing(leg: Leg, result: "LegResult") -> None:
    """Take no notice of a leg that was not reached."""


def _note_nothing(leg: Leg, began: int, answered: int | None) -> None:
    """Take no notice of a leg that was lost."""


@dataclass(frozen=True, slots=True)
class DialRequest:
    """Whom to ring for a caller, all at once; the first who answers is joined.

    Attributes:
        legs: at least one.
        timeout: seconds of ringing.
        time_limit: seconds of talk after which the joined leg is hung up.
        hangup_on_star: whether the caller's `*` hangs the joined leg up.
        record: where both are recorded while they talk, one WAV file; None for no recording.
        ringback: whether the caller hears ringing meanwhile.
        answer_headers: SIP headers of the answer that a caller gets who is only answered once a leg is joined.
        unreached: told of each leg that no channel was made of, once and however the dial ends: it returns, raises or
            is cancelled. Nobody else writes the call data record of such a leg.
        lost: told of each leg that died with the media server, which so wrote no record of it: when it was made and
            when it was answered, in seconds since the epoch. It may be told after the dial.

    """

    legs: Sequence[Leg]
    timeout: int
    time_limit: int
    hangup_on_star: bool = False
    record: Path | None = None
    ringback: bool = True
    answer_headers: Mapping[str, str] = field(default_factory=dict)
    unreached: Callable[[Leg, "LegResult"], None] = field(default=_ask_nothing, repr=False, compare=False)
    lost: Callable[[Leg, int, int | None], None] = field(default=_note_nothing, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class LegResult:
    """How a dialled leg ended.

    Attributes:
        reached: whether the media server made a channel of it; it writes the call data record of such a leg itself.
        cause: FreeSWITCH's name of the Q.850 cause.
        sip_status: the callee's final status, 200, 486; None when there was none.

    """

    reached: bool
    cause: str
    sip_status: int | None


@dataclass(frozen=True, slots=True)
class DialResult:
    """How a dial ended. The caller may go on.

    Attributes:
        legs: one a leg of the request, in its order.
        joined: the number of the leg that talked, counted from 0; None when none did.
        seconds: of talk, whole seconds.
        hung_up: whether the caller hung up, while it rang or while they talked. The call can do nothing more then.

    """

    legs: Sequence[LegResult]
    joined: int | None = None
    seconds: int = 0
    hung_up: bool = False


FRAME_SECONDS: Final = 0.02
FRAME_BYTES: Final = 320
"""A frame of a call's audio: 20 ms of 8 kHz, linear samples of 16 bits, little-endian."""

SILENCE_FRAME: Final = bytes(FRAME_BYTES)


class Track(StrEnum):
    """A direction of a call's audio. The values are the platform's names, and Twilio's."""

    INBOUND = "inbound"
    """What the other side says."""
    OUTBOUND = "outbound"
    """What it hears."""


class Media(Protocol):
    """A call's audio both ways, while it is taken over."""

    def wake(self) -> None:
        """Ask for audio now, and not only when the next frame is due."""
        ...


class Call(Protocol):
    """One call's first leg, under control.

    Every method may be cancelled; when the cancellation has left it, whatever it was doing has ended and the next may
    be called. `next_digit` may run beside `play`; a key that comes while it is being cancelled is there for the next
    one. Every method but `wait_until_ended` raises `CallEnded` once the leg is gone, also when it goes in the middle,
    and `MediaServerError` when the media server refuses.
    """

    @property
    def uuid(self) -> str:
        """The channel's identifier: the platform's external id."""
        ...

    @property
    def is_answered(self) -> bool:
        """Whether the call has been answered."""
        ...

    @property
    def variables(self) -> Mapping[str, str]:
        """What the media server said of the call when it came, by FreeSWITCH's names without `variable_`:
        `sip_h_X-Src-Ip`, `sip_from_host`."""
        ...

    async def set_variables(self, variables: Mapping[str, str]) -> None:
        """Set channel variables, by FreeSWITCH's names, which are in the call data record then.

        `record_cdr` among them says that the record counts. A call that comes in has it only once the platform has
        taken the call; an originated one, and a leg of a dial, has it from its beginning.
        """
        ...

    async def progress(self, variables: Mapping[str, str], headers: Mapping[str, str]) -> None:
        """Set channel variables, as `set_variables` does, and tell the caller that the call is on its way (SIP 183),
        with some headers.

        Raises:
            CallEnded: when the call was gone before the variables were set, so that its record does not count. One that
                goes afterwards is for whatever is done next to notice.

        """
        ...

    async def answer(self, headers: Mapping[str, str]) -> None:
        """Answer (SIP 200), with some headers; nothing happens when that has been done."""
        ...

    async def reject(self, rejection: Rejection, headers: Mapping[str, str]) -> None:
        """Refuse a call that is not answered; it ends."""
        ...

    async def hangup(self) -> None:
        """End the call."""
        ...

    async def play(self, prompts: Sequence[Prompt]) -> None:
        """Let the caller hear prompts, one after the other, to the end. A prompt that cannot be played is skipped and
        logged."""
        ...

    async def send_digits(self, digits: str) -> None:
        """Send keys (`0-9*#A-D`) to the other side; `w` waits half a second, `W` a second."""
        ...

    def discard_digits(self) -> None:
        """Forget the keys that were pressed so far."""
        ...

    async def next_digit(self, timeout: float | None) -> str | None:
        """Return the next key that the caller presses, also one that was pressed meanwhile; None when there is none for
        `timeout` seconds."""
        ...

    async def record(self, request: RecordRequest) -> Recorded:
        """Record the caller. A caller who hangs up ends it like a key does: it returns and does not raise. When it is
        cancelled, the file is closed and whole."""
        ...

    async def dial(self, request: DialRequest) -> DialResult:
        """Ring others for the caller and join the first who answers, until one of them ends it. It returns and does not
        raise when the caller hangs up. No leg is left when it is over, or when it is cancelled. A caller who is not
        answered yet is answered when the legs are joined."""
        ...

    def media(
        self, hear: Callable[[bytes], None], speak: Callable[[bool], bytes | None]
    ) -> AbstractAsyncContextManager[Media]:
        """Take over the audio of an answered call, as a context; nothing else that is heard can be done meanwhile.

        Args:
            hear: given each frame of the caller's as it comes, one every 20 ms.
            speak: asked for the next frame that the caller is to hear; None for nothing, which is silence. It is asked
                in the rhythm of the call, with True when a frame is due now, and with False for one in advance.

        Neither may wait. When the call ends within the context, no frame comes any more.
        """
        ...

    def tap(self, tracks: Collection[Track], hear: Callable[[Track, bytes], None]) -> AbstractAsyncContextManager[None]:
        """Listen to an answered call, as a context, whatever is done on it meanwhile.

        Args:
            tracks: what is listened to; at least one.
            hear: given each frame as it comes, one a track every 20 ms. It may not wait.

        """
        ...

    async def wait_until_ended(self) -> str:
        """Return when the leg is gone, with the cause."""
        ...
