"""Converts one recording: body, samples, encoder and upload at once, in memory that does not grow with it."""

import time
from collections.abc import Iterator
from contextlib import closing
from itertools import chain
from typing import TYPE_CHECKING

from lambdas.s3_mpeg.deadline import Deadline
from lambdas.s3_mpeg.encoder import Encoder
from lambdas.s3_mpeg.errors import Cause, ConversionError
from lambdas.s3_mpeg.ffmpeg import encode_command
from lambdas.s3_mpeg.levels import Levels
from lambdas.s3_mpeg.metadata import is_made_of, result_metadata, source_identity
from lambdas.s3_mpeg.mp3_format import SAMPLES_OF_A_FRAME, mp3_format
from lambdas.s3_mpeg.notification import SourceObject
from lambdas.s3_mpeg.outcome import Converted, Skipped
from lambdas.s3_mpeg.result import Existing, Result, find_result
from lambdas.s3_mpeg.settings import Settings
from lambdas.s3_mpeg.source_body import SourceBody, SourceReplaced
from lambdas.s3_mpeg.wav_stream import WavStream

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# LAME pads what it encodes and never shortens it; a stream that is shorter by more lacks something.
_MISSING_SECONDS = 0.1


def convert(s3: "S3Client", source: SourceObject, settings: Settings, deadline: Deadline) -> Converted | Skipped:
    """Write the MP3 of a WAV beside it, unless it is there.

    Raises:
        ConversionError: it was not written, and nothing was left behind; the cause says why.

    """
    deadline.check()
    key = source.key_with(settings.extension)
    existing = find_result(s3, source.bucket, key)
    if existing and source.etag and is_made_of(existing.metadata, source.etag, source.version_id):
        return Skipped.DONE
    try:
        with closing(SourceBody(s3, source)) as body:
            if existing and is_made_of(existing.metadata, body.etag, body.version_id):
                return Skipped.DONE
            return _write(s3, source, body, key, existing, settings, deadline)
    except SourceReplaced:
        return Skipped.REPLACED


def _write(
    s3: "S3Client",
    source: SourceObject,
    body: SourceBody,
    key: str,
    existing: Existing | None,
    settings: Settings,
    deadline: Deadline,
) -> Converted | Skipped:
    identity = source_identity(body.etag, body.version_id)
    metadata, dropped = result_metadata(body.metadata, identity)
    try:
        with Result(s3, source.bucket, key, metadata, existing.etag if existing else None) as result:
            return _encode(body, result, settings, deadline, dropped)
    except ConversionError as error:
        if error.cause is not Cause.CONFLICT:
            raise
        # Whoever was first may have had the same source: the event came twice, or the answer to our own write got
        # lost and it was tried again.
        winner = find_result(s3, source.bucket, key)
        if winner and is_made_of(winner.metadata, body.etag, body.version_id):
            return Skipped.DONE
        raise


def _encode(
    body: SourceBody, result: Result, settings: Settings, deadline: Deadline, metadata_dropped: list[str]
) -> Converted:
    began = time.perf_counter()
    stream = WavStream(body.length)
    samples = _samples(body, stream, deadline)
    first = next(samples)
    wav = stream.format
    mp3 = mp3_format(wav, settings.bit_rate)
    levels = Levels(wav)
    with Encoder(encode_command(mp3), result.write, deadline) as encoder:
        encoder.write(wav.header())
        for piece in chain([first], samples):
            encoder.write(piece)
            levels.add(piece)
        encoder.finish()
    audio_seconds = wav.seconds(stream.samples)
    if mp3.seconds(result.size) < audio_seconds - _MISSING_SECONDS:
        made = mp3.seconds(result.size)
        raise ConversionError(Cause.ENCODER, f"ffmpeg made {made:.1f} of {audio_seconds:.1f} seconds of MP3")
    result.publish()
    return Converted(
        key=result.key,
        wav=wav,
        mp3=mp3,
        audio_seconds=audio_seconds,
        wall_seconds=time.perf_counter() - began,
        bytes_in=body.length,
        bytes_out=result.size,
        peak=levels.peak,
        rms=levels.rms,
        metadata_dropped=metadata_dropped,
    )


def _samples(body: SourceBody, stream: WavStream, deadline: Deadline) -> Iterator[bytes]:
    """Yield the samples of a body; for one without any, the silence of one MP3 frame.

    A caller who hangs up at once leaves a recording without samples. It is no fault of anybody, and whoever fetches
    the MP3 gets one that plays, for a moment, rather than none.
    """
    for piece in body.pieces(deadline):
        if samples := stream.feed(piece):
            yield samples
        if stream.complete:
            break
    stream.finish()
    if not stream.samples:
        yield stream.format.silence(SAMPLES_OF_A_FRAME)
