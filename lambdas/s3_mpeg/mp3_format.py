"""Which sample rates and bit rates an MP3 can have (ISO/IEC 11172-3 and 13818-3, Layer III, and MPEG-2.5)."""

from dataclasses import dataclass

from lambdas.s3_mpeg.wav_format import WavFormat

SAMPLES_OF_A_FRAME = 1152
"""Samples of one channel in the longest frame there is."""

_BIT_RATES_MPEG_1 = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_BIT_RATES_MPEG_2 = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
# LAME, like most players, keeps MPEG-2.5 at 64 kbit/s or less.
_BIT_RATES_MPEG_2_5 = (8, 16, 24, 32, 40, 48, 56, 64)


@dataclass(frozen=True, slots=True)
class _Band:
    sample_rates: tuple[int, ...]
    bit_rates: tuple[int, ...]
    factor: float  # how much more a channel needs than at telephone rates


_BANDS = (
    _Band((8_000, 11_025, 12_000), _BIT_RATES_MPEG_2_5, 1),
    _Band((16_000, 22_050, 24_000), _BIT_RATES_MPEG_2, 1.5),
    _Band((32_000, 44_100, 48_000), _BIT_RATES_MPEG_1, 2),
)


@dataclass(frozen=True, slots=True)
class Mp3Format:
    """What to encode to, at a constant bit rate.

    A constant rate makes the duration of a stream without any header plain to every player: bits divided by rate.

    Attributes:
        sample_rate: samples per second of one channel.
        channels: 1 or 2.
        bit_rate: bits per second, of all channels together.

    """

    sample_rate: int
    channels: int
    bit_rate: int

    def seconds(self, size: int) -> float:
        """Return how long so many bytes play."""
        return size * 8 / self.bit_rate


def mp3_format(wav: WavFormat, bit_rate: int) -> Mp3Format:
    """Return the MP3 format for a WAV: its channels, and its sample rate or the next that an MP3 can have.

    Parameters:
        wav: what is encoded.
        bit_rate: bits per second for one channel at 8 kHz. Two channels get twice that, 16 to 24 kHz half as much
            again, 32 to 48 kHz twice as much; then the next bit rate that the format knows.

    """
    rates = [rate for band in _BANDS for rate in band.sample_rates]
    sample_rate = next((rate for rate in rates if rate >= wav.sample_rate), rates[-1])
    band = next(band for band in _BANDS if sample_rate in band.sample_rates)
    wanted = bit_rate * wav.channels * band.factor
    known = [kilobits * 1000 for kilobits in band.bit_rates]
    return Mp3Format(sample_rate, wav.channels, next((rate for rate in known if rate >= wanted), known[-1]))
