"""Whether a process grows: a straight line through samples of its memory and descriptors, after it has warmed up."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, linear_regression

_WARM_UP_SHARE, _WARM_UP_MAXIMUM = 0.25, 120.0
SPAN_MINIMUM = 90.0
"""Seconds of samples that a line is drawn through at least: of less, nothing can be said."""
MEMORY_SHARE, MEMORY_MEGABYTES = 0.05, 4.0
DESCRIPTORS_SHARE, DESCRIPTORS = 0.01, 4.0
"""What may be gained within the samples: a share of their mean or so much, whichever is more."""
STANDARD_ERRORS = 3.0
"""And so many standard errors of what is gained: calls come at random, and each has sockets."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What a process, with all that it started, had at some time.

    Attributes:
        at: seconds, of any clock.
        megabytes: of resident memory; what several processes share counts once.
        descriptors: files, sockets and pipes that are open.

    """

    at: float
    megabytes: float
    descriptors: int


@dataclass(frozen=True, slots=True)
class Line:
    """A fit.

    Attributes:
        first: its value at the first sample.
        gained: what it gains until the last one.
        allowed: what it may gain.

    """

    first: float
    gained: float
    allowed: float

    @property
    def is_flat(self) -> bool:
        """Whether it gains no more than it may."""
        return self.gained <= self.allowed


@dataclass(frozen=True, slots=True)
class Growth:
    """What the samples of one life say.

    Attributes:
        span: seconds of samples that the lines go through.
        memory: megabytes.
        descriptors: how many.

    """

    span: float
    memory: Line
    descriptors: Line

    @property
    def is_flat(self) -> bool:
        """Whether neither grows."""
        return self.memory.is_flat and self.descriptors.is_flat


def warm_up(duration: float) -> float:
    """Return how many seconds a process may fill caches and pools, in a soak of some seconds."""
    return min(_WARM_UP_MAXIMUM, _WARM_UP_SHARE * duration)


def growth(samples: Sequence[Sample], warm_up_seconds: float) -> Growth | None:
    """Return how a life grew after its warm-up; None when it was too short to tell."""
    if not samples:
        return None
    used = [sample for sample in samples if sample.at >= samples[0].at + warm_up_seconds]
    if len(used) < 2 or used[-1].at - used[0].at < SPAN_MINIMUM:
        return None
    times = [sample.at - used[0].at for sample in used]
    return Growth(
        times[-1],
        _line(times, [sample.megabytes for sample in used], MEMORY_SHARE, MEMORY_MEGABYTES),
        _line(times, [float(sample.descriptors) for sample in used], DESCRIPTORS_SHARE, DESCRIPTORS),
    )


def _line(times: Sequence[float], values: Sequence[float], share: float, least: float) -> Line:
    fit = linear_regression(times, values)
    gained = fit.slope * times[-1]
    allowed = max(least, share * fmean(values)) + STANDARD_ERRORS * times[-1] * _standard_error(
        times, values, fit.slope
    )
    return Line(fit.intercept, gained, allowed)


def _standard_error(times: Sequence[float], values: Sequence[float], slope: float) -> float:
    """Return that of a slope, from what the values differ from the line by."""
    mean_time, mean_value = fmean(times), fmean(values)
    off = sum((value - mean_value - slope * (at - mean_time)) ** 2 for at, value in zip(times, values, strict=True))
    spread = sum((at - mean_time) ** 2 for at in times)
    return math.sqrt(off / max(1, len(times) - 2) / spread)
