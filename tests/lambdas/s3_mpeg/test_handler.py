"""Recordings through the handler: what is in the bucket afterwards, what was logged, what was raised."""

import json
from typing import Any

import pytest

from lambdas.s3_mpeg.errors import ConversionError, RecordsFailed
from tests.lambdas.s3_mpeg.conftest import BUCKET, Recordings
from tests.lambdas.s3_mpeg.mp3_files import decode
from tests.lambdas.s3_mpeg.wav_files import A_LAW, FLOAT, MU_LAW, PCM, chunk, encode, fmt, riff, tone, wav

# LAME delays what it encodes by up to two frames, and fills the last one up.
_PADDING_SECONDS = 0.25


def test_a_recording_becomes_an_mp3_under_the_same_key(recordings: Recordings) -> None:
    recordings.invoke(recordings.put("recording.wav", wav(seconds=3), call="CA1"))

    head = recordings.head("recording.mp3")
    assert head["ContentType"] == "audio/mpeg"
    assert head["Metadata"]["call"] == "CA1"
    mp3 = decode(recordings.get("recording.mp3"), sample_rate=8000, channels=1)
    assert 3 <= mp3.seconds <= 3 + _PADDING_SECONDS
    assert recordings.keys() == ["recording.mp3", "recording.wav"]
    assert recordings.uploads() == []


KINDS: dict[str, dict[str, Any]] = {
    "8 kHz 8-bit": {"tag": PCM, "bits": 8},
    "8 kHz 16-bit": {"tag": PCM, "bits": 16},
    "8 kHz 24-bit": {"tag": PCM, "bits": 24},
    "8 kHz 32-bit": {"tag": PCM, "bits": 32},
    "8 kHz float": {"tag": FLOAT, "bits": 32},
    "8 kHz double": {"tag": FLOAT, "bits": 64},
    "8 kHz mu-law": {"tag": MU_LAW, "bits": 8},
    "8 kHz A-law": {"tag": A_LAW, "bits": 8},
    "8 kHz stereo": {"tag": PCM, "bits": 16, "frequencies": (440, 880)},
    "8 kHz stereo mu-law": {"tag": MU_LAW, "bits": 8, "frequencies": (440, 880)},
    "11.025 kHz": {"tag": PCM, "bits": 16, "rate": 11025},
    "16 kHz": {"tag": PCM, "bits": 16, "rate": 16000},
    "16 kHz stereo 24-bit": {"tag": PCM, "bits": 24, "rate": 16000, "frequencies": (440, 880)},
    "44.1 kHz": {"tag": PCM, "bits": 16, "rate": 44100},
    "44.1 kHz stereo float": {"tag": FLOAT, "bits": 32, "rate": 44100, "frequencies": (440, 880)},
    "48 kHz": {"tag": PCM, "bits": 16, "rate": 48000},
    "48 kHz stereo 32-bit": {"tag": PCM, "bits": 32, "rate": 48000, "frequencies": (440, 880)},
    "extensible 16-bit": {"tag": PCM, "bits": 16, "extensible": True},
    "extensible 24-bit stereo": {"tag": PCM, "bits": 24, "extensible": True, "frequencies": (440, 880)},
    "extensible float": {"tag": FLOAT, "bits": 32, "extensible": True},
    "extensible mu-law": {"tag": MU_LAW, "bits": 8, "extensible": True},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_wav_keeps_its_pitch_level_channels_and_duration(recordings: Recordings, kind: str) -> None:
    parameters = KINDS[kind]
    recordings.invoke(recordings.put("a.wav", wav(**parameters)))

    rate, frequencies = parameters.get("rate", 8000), parameters.get("frequencies", (440,))
    mp3 = decode(recordings.get("a.mp3"), sample_rate=rate, channels=len(frequencies))
    assert 1 <= mp3.seconds <= 1 + _PADDING_SECONDS
    for channel, frequency in enumerate(frequencies):
        assert mp3.frequency(channel) == pytest.approx(frequency, rel=0.03)
        assert mp3.peak(channel) == pytest.approx(0.5, rel=0.15)


@pytest.mark.parametrize(("rate", "expected"), [(6000, 8000), (9600, 11025), (96000, 48000)])
def test_a_rate_that_no_mp3_has_becomes_the_next_that_one_has(recordings: Recordings, rate: int, expected: int) -> None:
    recordings.invoke(recordings.put("a.wav", wav(rate=rate)))

    mp3 = decode(recordings.get("a.mp3"), sample_rate=expected, channels=1)
    assert 1 <= mp3.seconds <= 1 + _PADDING_SECONDS
    assert mp3.frequency(0) == pytest.approx(440, rel=0.03)


_SECOND = encode(tone(1), PCM, 16)
_OPEN = 0xFFFFFFFF


def _unsized(size: int) -> bytes:
    return b"data" + size.to_bytes(4, "little") + _SECOND


LAYOUTS = {
    "LIST before the samples": riff(fmt(PCM, 16), chunk(b"LIST", b"INFOISFT\x06\0\0\0Lavf58"), chunk(b"data", _SECOND)),
    "chunks before fmt": riff(
        chunk(b"bext", b"x" * 603), chunk(b"fact", b"1234"), fmt(PCM, 16), chunk(b"data", _SECOND)
    ),
    "LIST after the samples": riff(fmt(PCM, 16), chunk(b"data", _SECOND), chunk(b"LIST", b"\x7f" * 20_000)),
    "RIFF size 0, data size 0": riff(fmt(PCM, 16), _unsized(0), size=0),
    "RIFF size of the header, data size 0": riff(fmt(PCM, 16), _unsized(0), size=36),
    "both sizes 0xFFFFFFFF": riff(fmt(PCM, 16), _unsized(_OPEN), size=_OPEN),
    "RIFF size 0, data size right": riff(fmt(PCM, 16), chunk(b"data", _SECOND), size=0),
    "data size short of 0xFFFFFFFF by the header": riff(fmt(PCM, 16), _unsized(_OPEN - 36), size=_OPEN),
    "as SoX streams": riff(fmt(PCM, 16), _unsized(0x7FFFF000), size=0x7FFFF024),
    "as arecord streams": riff(fmt(PCM, 16), _unsized(0x80000000), size=0x80000024),
    "RF64": riff(
        chunk(b"ds64", (72 + len(_SECOND)).to_bytes(8, "little") + len(_SECOND).to_bytes(8, "little") + bytes(12)),
        fmt(PCM, 16),
        _unsized(_OPEN),
        chunk(b"LIST", b"\x7f" * 20_000),
        form=b"RF64",
        size=_OPEN,
    ),
    "RF64 without its sizes": riff(fmt(PCM, 16), _unsized(_OPEN), form=b"RF64", size=_OPEN),
    "half a sample at the end": riff(fmt(PCM, 16), chunk(b"data", _SECOND + b"\x01")),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_of_a_file_gives_the_same_second(recordings: Recordings, layout: str) -> None:
    recordings.invoke(recordings.put("plain.wav", wav()), recordings.put("a.wav", LAYOUTS[layout]))

    assert recordings.get("a.mp3") == recordings.get("plain.mp3")


@pytest.mark.parametrize(
    "header", [riff(fmt(PCM, 16), chunk(b"data", b"")), riff(fmt(MU_LAW, 8), _unsized(0)[:8], size=0)]
)
def test_a_header_without_samples_becomes_a_moment_of_silence(recordings: Recordings, header: bytes) -> None:
    recordings.invoke(recordings.put("a.wav", header))

    mp3 = decode(recordings.get("a.mp3"), sample_rate=8000, channels=1)
    assert 0 < mp3.seconds < 0.5
    assert max(map(abs, mp3.channels[0])) < 40


@pytest.mark.parametrize(
    ("variable", "parameters", "expected"),
    [
        (None, {}, 32_000),
        (None, {"frequencies": (440, 880)}, 64_000),
        ("24k", {}, 24_000),
        ("48000", {}, 48_000),
    ],
)
def test_the_bit_rate_is_constant_and_settable(
    recordings: Recordings, monkeypatch: pytest.MonkeyPatch, variable: str | None, parameters: Any, expected: int
) -> None:
    if variable:
        monkeypatch.setenv("MP3_BIT_RATE", variable)
    recordings.invoke(recordings.put("a.wav", wav(seconds=4, **parameters)))

    # A player that finds no header takes the duration from size and rate of the first frame: so must it be right.
    assert len(recordings.get("a.mp3")) * 8 / expected == pytest.approx(4, abs=_PADDING_SECONDS)


@pytest.mark.parametrize(
    "name", ["a b/c+d %41 & ünï/録音", "/".join(["deep"] * 60) + "/x", "", "x.wav", "a=b;c'd\"(e)!*~"]
)
def test_any_key_is_found(recordings: Recordings, name: str) -> None:
    recordings.invoke(recordings.put(f"{name}.wav", wav()))

    assert sorted(recordings.keys()) == sorted([f"{name}.wav", f"{name}.mp3"])


@pytest.mark.parametrize("key", ["a.mp3", "a.wav.mp3", "a.txt", "wav"])
def test_anything_but_a_wav_is_let_be(recordings: Recordings, key: str) -> None:
    recordings.invoke(recordings.put(key, wav()))

    assert recordings.keys() == [key]
    assert [line["message"] for line in recordings.log] == ["ignored"]


def test_a_removal_is_let_be(recordings: Recordings) -> None:
    record = recordings.put("a.wav", wav()) | {"eventName": "ObjectRemoved:Delete"}
    recordings.invoke(record)

    assert recordings.keys() == ["a.wav"]


def test_s3s_test_message_is_let_be(recordings: Recordings) -> None:
    recordings.invoke_with({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": BUCKET})

    assert recordings.log == []


BROKEN = {
    "empty": (b"", "empty"),
    "no WAV": (b"ID3\x04 this is no WAV at all", "not_wav"),
    "an MP3": (b"\xff\xfb\x90\x64" + bytes(400), "not_wav"),
    "half a header": (wav()[:20], "truncated"),
    "half the samples": (wav()[: len(wav()) // 2], "truncated"),
    "samples before fmt": (riff(chunk(b"data", _SECOND), fmt(PCM, 16)), "not_wav"),
    "no channels": (riff(fmt(PCM, 16, channels=0), chunk(b"data", _SECOND)), "not_wav"),
    "six channels": (riff(fmt(PCM, 16, channels=6), chunk(b"data", _SECOND)), "unsupported"),
    "GSM": (riff(fmt(0x31, 8), chunk(b"data", _SECOND)), "unsupported"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_recording_fails_by_name_and_stays(
    recordings: Recordings, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    body, cause = BROKEN[what]
    record = recordings.put("broken one.wav", body)

    with pytest.raises(RecordsFailed, match=rf"s3://{BUCKET}/broken one\.wav .*: {cause}: "):
        recordings.invoke(record)

    [line] = recordings.errors
    etag = record["s3"]["object"]["eTag"]
    assert (line["bucket"], line["key"], line["version"], line["cause"]) == (BUCKET, "broken one.wav", etag, cause)
    assert line["detail"]
    assert recordings.keys() == ["broken one.wav"]
    assert recordings.uploads() == []
    [counted] = _metrics(capsys, "RecordingsFailed")
    assert counted["cause"] == cause


def test_every_record_is_tried_before_the_event_fails(recordings: Recordings) -> None:
    records = [
        recordings.put("1.wav", b"no WAV at all"),
        {"eventName": "ObjectCreated:Put"},
        "not even a record",
        recordings.put("2.wav", wav()),
        recordings.record("gone.wav", etag="0" * 32),
    ]
    with pytest.raises(RecordsFailed) as failure:
        recordings.invoke(*records)

    assert [line["cause"] for line in recordings.errors] == ["not_wav", "bad_event", "bad_event", "vanished"]
    for name in ("1.wav", "gone.wav", "without s3", "without members"):
        assert name in str(failure.value)
    assert recordings.keys() == ["1.wav", "2.mp3", "2.wav"]


@pytest.mark.parametrize("event", [None, [], "x", {}, {"Records": None}, {"detail-type": "Object Created"}])
def test_an_event_of_another_shape_is_a_named_error(recordings: Recordings, event: Any) -> None:
    with pytest.raises(ConversionError, match="bad_event: no S3 notification"):
        recordings.invoke_with(event)

    assert [line["cause"] for line in recordings.errors] == ["bad_event"]


def test_a_bucket_that_is_not_there_or_may_not_be_read_is_a_named_error(recordings: Recordings) -> None:
    record = recordings.put("a.wav", wav())
    record["s3"]["bucket"]["name"] = "no-such-bucket"
    with pytest.raises(RecordsFailed, match=r"s3://no-such-bucket/a\.wav .*vanished"):
        recordings.invoke(record)


def test_a_fault_of_the_functions_own_is_reported_and_stops_no_other_record(
    recordings: Recordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("lambdas.s3_mpeg.convert.Levels", fail)
    with pytest.raises(RecordsFailed, match=r"a\.wav .*ZeroDivisionError.*b\.wav .*ZeroDivisionError"):
        recordings.invoke(recordings.put("a.wav", wav()), recordings.put("b.wav", wav()))

    assert {line["cause"] for line in recordings.errors} == {"unexpected"}
    assert "Traceback" in recordings.errors[0]["exception"]


def test_what_was_done_is_measured(recordings: Recordings, capsys: pytest.CaptureFixture[str]) -> None:
    recordings.invoke(recordings.put("a.wav", wav(seconds=2)))

    [counted] = _metrics(capsys, "RecordingsConverted")
    assert counted["AudioSeconds"] == [2]
    assert counted["BytesIn"] == [len(recordings.get("a.wav"))]
    assert counted["BytesOut"] == [len(recordings.get("a.mp3"))]
    assert counted["EncodeSpeed"][0] > 0
    [line] = recordings.log
    assert line["message"] == "converted"
    assert line["peak_dbfs"] == pytest.approx(-6, abs=0.1)
    assert line["rms_dbfs"] == pytest.approx(-9, abs=0.1)


def test_metadata_that_fills_all_that_s3_allows_leaves_room_for_the_sources_identity(recordings: Recordings) -> None:
    recordings.invoke(recordings.put("a.wav", wav(), first="x" * 1000, second="y" * 1030))

    assert recordings.head("a.mp3")["Metadata"].keys() == {"source-etag", "first"}
    assert recordings.log[0]["metadata_dropped"] == ["second"]


def _metrics(capsys: pytest.CaptureFixture[str], name: str) -> list[dict[str, Any]]:
    """Return the metrics of this name that were written to the log."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in lines if name in line]
