"""Which disturbances come when: drawn by a seed before the soak begins, so that the same seed brings the same again."""

import random
from dataclasses import dataclass
from enum import Enum

_SWITCHES_MAXIMUM = 3
_BEGINS_AFTER = 0.06
"""Share of the soak's time without disturbances, at its beginning and at its end."""
_EVERY_SECONDS = 14.0
_SPARED_FROM = 0.4
"""Share of the disturbances after which one switch is left alone: its processes live long enough to be measured."""
_PAUSE_SECONDS = (2.0, 5.0)


class Kind(Enum):
    """What a disturbance is."""

    JOIN = "a switch joins"
    DRAIN = "a switch drains"
    KILL_SCHEDULER = "a scheduler is killed"
    PAUSE_EMULATOR = "AWS does not answer"
    KILL_APP = "a switch app is killed"
    KILL_FREESWITCH = "a FreeSWITCH is killed"
    KILL_EVENT_LOGGER = "an event logger is killed"
    PAPER_TASK = "a task without a program comes or goes"
    REPEAT_EVENTS = "ECS events come again, late"
    REPEAT_MESSAGES = "SQS messages come again, late"
    RECONCILE = "the tables are reconciled"


@dataclass(frozen=True, slots=True)
class Disturbance:
    """A disturbance.

    Attributes:
        at: seconds after the first call.
        kind: what it is.
        target: the process, the switch or the task that it is about; empty for all.
        seconds: how long it lasts, for one that lasts.

    """

    at: float
    kind: Kind
    target: str = ""
    seconds: float = 0.0

    def __str__(self) -> str:
        what = ": ".join(part for part in (self.kind.value, self.target) if part)
        return f"{self.at:5.0f} s  {what}" + (f" ({self.seconds:.1f} s)" if self.seconds else "")


def draw(seed: int, duration: float, first_switch: str) -> list[Disturbance]:
    """Draw disturbances over some seconds: each kind once at least, for there is a switch to join first.

    Args:
        seed: what the draw depends on.
        duration: of the soak, seconds.
        first_switch: name of the switch that runs already.

    """
    chosen = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    kinds = _kinds(chosen, max(len(Kind) + 1, int(duration * (1 - 2 * _BEGINS_AFTER) / _EVERY_SECONDS)))
    begin = duration * _BEGINS_AFTER
    pause = duration * (1 - 2 * _BEGINS_AFTER) / len(kinds)
    drawing = _Drawing(chosen, first_switch)
    return [
        drawing.disturbance(
            round(begin + pause * (number + 0.5 * chosen.random()), 1), kind, is_late=_is_late(number, len(kinds))
        )
        for number, kind in enumerate(kinds)
    ]


def _kinds(chosen: random.Random, count: int) -> list[Kind]:
    """Return kinds in their order; a switch drains only while there is another, and joins only while there is room.

    From `_SPARED_FROM` on there are two all the time, until the last one drains: one is left alone.
    """
    once = [kind for kind in Kind if kind not in (Kind.JOIN, Kind.DRAIN)]
    further = [kind for kind in Kind if kind is not Kind.RECONCILE]
    wanted = [*once, *(chosen.choice(further) for _ in range(count - len(once) - 2))]
    chosen.shuffle(wanted)
    kinds, switches = [Kind.JOIN], 2
    for number, kind in enumerate(wanted, start=1):
        fewest = 2 if _is_late(number, count) else 1
        if switches < fewest:
            kinds.append(Kind.JOIN)
            switches += 1
        if kind in (Kind.JOIN, Kind.DRAIN):
            kind = Kind.DRAIN if switches == _SWITCHES_MAXIMUM else Kind.JOIN if switches <= fewest else kind
            switches += 1 if kind is Kind.JOIN else -1
        kinds.append(kind)
    return [*kinds, *([Kind.JOIN] if switches == 1 else []), Kind.DRAIN]


def _is_late(number: int, count: int) -> bool:
    return number >= _SPARED_FROM * count


class _Drawing:
    """Draws what disturbances are about; it knows which switches run by then."""

    def __init__(self, chosen: random.Random, first_switch: str) -> None:
        self._chosen = chosen
        self._switches = [first_switch]
        self._joined = 1
        self._schedulers = ["public-scheduler", "client-scheduler"]

    def disturbance(self, at: float, kind: Kind, *, is_late: bool) -> Disturbance:
        # The one that has been there longest is left alone: once it is the first, it stays the first.
        others = self._switches[1:] if is_late and len(self._switches) > 1 else self._switches
        if kind is Kind.JOIN:
            self._joined += 1
            self._switches.append(f"switch-{self._joined}")
            return Disturbance(at, kind, self._switches[-1])
        if kind is Kind.DRAIN:
            switch = self._chosen.choice(others)
            self._switches.remove(switch)
            return Disturbance(at, kind, switch)
        if kind is Kind.KILL_SCHEDULER:
            self._schedulers.reverse()
            return Disturbance(at, kind, self._schedulers[0])
        if kind is Kind.PAUSE_EMULATOR:
            return Disturbance(at, kind, seconds=round(self._chosen.uniform(*_PAUSE_SECONDS), 1))
        parts = {Kind.KILL_APP: "app", Kind.KILL_FREESWITCH: "freeswitch", Kind.KILL_EVENT_LOGGER: "event-logger"}
        if kind in parts:
            return Disturbance(at, kind, f"{self._chosen.choice(others)}-{parts[kind]}")
        if kind is Kind.PAPER_TASK:
            return Disturbance(at, kind, self._chosen.choice(("media-proxy", "client-gateway")))
        return Disturbance(at, kind)
