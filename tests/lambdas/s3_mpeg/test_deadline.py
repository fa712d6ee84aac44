"""How long an invocation may work."""

import pytest

from lambdas.s3_mpeg.deadline import Deadline
from lambdas.s3_mpeg.errors import Cause, ConversionError


@pytest.mark.parametrize(("milliseconds", "seconds"), [(900_000, 855), (100_000, 80), (3_000, 2.4), (0, 0)])
def test_some_time_is_kept_for_clearing_up(milliseconds: int, seconds: float) -> None:
    assert Deadline.before_end_of(milliseconds, lambda: 50).remaining() == pytest.approx(seconds)


def test_it_comes() -> None:
    now = [0.0]
    deadline = Deadline(10, lambda: now[0])
    deadline.check()
    now[0] = 10
    with pytest.raises(ConversionError) as failure:
        deadline.check()
    assert failure.value.cause is Cause.OUT_OF_TIME
    assert deadline.remaining() == 0
