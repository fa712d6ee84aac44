"""The samples of a WAV file, however it is cut into pieces."""

import struct
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.s3_mpeg.errors import Cause, ConversionError
from lambdas.s3_mpeg.wav_format import Coding, WavFormat
from lambdas.s3_mpeg.wav_stream import WavStream
from tests.lambdas.s3_mpeg.wav_files import A_LAW, FLOAT, MU_LAW, PCM, chunk, fmt, riff

KINDS = [(PCM, 8), (PCM, 16), (PCM, 24), (PCM, 32), (FLOAT, 32), (FLOAT, 64), (A_LAW, 8), (MU_LAW, 8)]


def parse(pieces: list[bytes], length: int | None = None) -> tuple[WavStream, bytes]:
    stream = WavStream(sum(map(len, pieces)) if length is None else length)
    samples = b"".join(stream.feed(piece) for piece in pieces)
    stream.finish()
    return stream, samples


@st.composite
def files(draw: st.DrawFn) -> tuple[bytes, bytes, WavFormat]:
    """Return a file, the samples that are in it, and their format."""
    tag, bits = draw(st.sampled_from(KINDS))
    channels = draw(st.sampled_from([1, 2]))
    block = channels * bits // 8
    samples = draw(st.binary(max_size=40)) * block
    extra = st.tuples(st.sampled_from([b"LIST", b"fact", b"bext", b"JUNK"]), st.binary(max_size=9))
    extras = [chunk(*content) for content in draw(st.lists(extra, max_size=3))]
    before = draw(st.permutations([fmt(tag, bits, channels=channels, extensible=draw(st.booleans())), *extras]))
    after = [chunk(*content) for content in draw(st.lists(extra, max_size=2))]
    size = draw(st.sampled_from([None, 0, 0xFFFFFFFF])) if samples else None
    file = riff(*before, chunk(b"data", samples), *after, size=size)
    return file, samples, WavFormat(Coding(tag), channels, 8000, bits // 8)


@given(file=files(), cuts=st.lists(st.integers(0, 400), max_size=20))
@settings(deadline=None)
def test_any_cut_gives_the_same_samples(file: tuple[bytes, bytes, WavFormat], cuts: list[int]) -> None:
    content, samples, wav = file
    places = [0, *sorted(min(cut, len(content)) for cut in cuts), len(content)]
    pieces = [content[start:end] for start, end in pairwise(places)]

    stream, got = parse(pieces)

    assert stream.format == wav
    assert got == samples
    assert stream.samples == len(samples)


@given(file=files(), data=st.data())
@settings(deadline=None)
def test_every_piece_of_samples_is_whole_blocks(file: tuple[bytes, bytes, WavFormat], data: st.DataObject) -> None:
    content, _, wav = file
    stream = WavStream(len(content))
    step = data.draw(st.integers(1, 7))
    for start in range(0, len(content), step):
        assert len(stream.feed(content[start : start + step])) % wav.block_bytes == 0


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_garbage_is_refused_by_name(garbage: bytes) -> None:
    with pytest.raises(ConversionError):
        parse([garbage])


@given(file=files(), data=st.data())
@settings(deadline=None)
def test_a_damaged_file_is_read_or_refused_by_name(file: tuple[bytes, bytes, WavFormat], data: st.DataObject) -> None:
    content = bytearray(file[0])
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    try:
        stream, samples = parse([bytes(content[:cut])])
    except ConversionError:
        return
    assert len(samples) % stream.format.block_bytes == 0


@given(file=files(), missing=st.integers(1, 100))
@settings(max_examples=50, deadline=None)
def test_a_file_that_ends_before_its_samples_do_is_truncated(
    file: tuple[bytes, bytes, WavFormat], missing: int
) -> None:
    _, samples, wav = file
    whole = riff(
        fmt(int(wav.coding), wav.sample_bytes * 8, channels=wav.channels), chunk(b"data", samples * 2 + bytes(100))
    )
    with pytest.raises(ConversionError) as failure:
        parse([whole[:-missing]])
    assert failure.value.cause is Cause.TRUNCATED


def test_truncation_shows_at_the_header_already() -> None:
    content = riff(fmt(PCM, 16), chunk(b"data", bytes(1000)))
    with pytest.raises(ConversionError, match="1044") as failure:
        WavStream(len(content) - 1).feed(content[:60])
    assert failure.value.cause is Cause.TRUNCATED


def test_a_body_that_is_shorter_than_it_was_said_to_be_is_truncated() -> None:
    content = riff(fmt(PCM, 16), chunk(b"data", bytes(1000)))
    with pytest.raises(ConversionError) as failure:
        parse([content[:500]], length=len(content))
    assert failure.value.cause is Cause.TRUNCATED


def test_what_follows_the_samples_does_not_matter() -> None:
    content = riff(fmt(PCM, 16), chunk(b"data", bytes(10)))
    stream = WavStream(len(content) + 1000)
    stream.feed(content)
    assert stream.complete
    assert stream.feed(bytes(1000)) == b""


def test_more_than_four_gigabytes_are_announced_by_ds64() -> None:
    sizes = struct.pack("<QQQI", 5_000_000_072, 5_000_000_000, 2_500_000_000, 0)
    data = b"data\xff\xff\xff\xff"
    head = riff(chunk(b"ds64", sizes), fmt(PCM, 16), data, form=b"RF64", size=0xFFFFFFFF)
    stream = WavStream(len(head) + 5_000_000_000)
    stream.feed(head)
    with pytest.raises(ConversionError, match="5000000"):
        stream.finish()


def test_a_file_of_countless_tiny_chunks_is_read_in_linear_time() -> None:
    # Were each to move what follows it, this would take minutes.
    stream = WavStream(1 << 40)
    stream.feed(riff(fmt(PCM, 16), size=0))
    assert stream.feed(chunk(b"JUNK", b"") * 300_000) == b""
