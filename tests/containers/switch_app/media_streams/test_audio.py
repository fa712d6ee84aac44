"""µ-law."""

from array import array

from switch_app.media_streams.audio import SILENCE, to_linear, to_mulaw
from tests.support.speech_codec import decode, encode


def test_it_is_the_standard_s() -> None:
    every = bytes(range(256))
    assert list(array("h", to_linear(every))) == decode(every)
    samples = list(range(-32768, 32768, 37))
    encoded = to_mulaw(array("h", samples).tobytes())
    apart = [abs(one - other) for one, other in zip(decode(encoded), decode(encode(samples)), strict=True)]
    assert max(apart) <= 1024  # a step of the loudest segment, where a sample is between two
    assert to_mulaw(bytes(2)) == SILENCE


def test_a_call_s_own_mulaw_is_the_same_afterwards() -> None:
    every = bytes(set(range(256)) - {0x7F})  # there are two zeros
    assert to_mulaw(to_linear(every)) == every
