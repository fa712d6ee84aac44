"""What kind of audio something is, and how long it may be used."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch_app.audio.formats import audio_suffix
from switch_app.audio.freshness import FRESH_MAXIMUM, fresh_seconds

WAV = b"RIFF\x24\x00\x00\x00WAVEfmt "
GSM = b"\xd8\x20\xa2\xe1"


@pytest.mark.parametrize(
    ("beginning", "content_type", "path", "suffix"),
    [
        (WAV, "audio/x-wav", "/a.wav", ".wav"),
        (WAV, "audio/mpeg", "/a.mp3", ".wav"),  # what it is counts, not what it is called
        (WAV, "text/plain", "/a", ".wav"),
        (b"ID3\x03\x00", "", "/a", ".mp3"),
        (b"\xff\xfb\x90\x64", "audio/mpeg", "/a.mp3", ".mp3"),
        (b"\xff\xf3\x48\xc4", "application/octet-stream", "/a", ".mp3"),
        (b"FORM\x00\x00\x00\x00AIFF", "audio/aiff", "/a.aif", ".aiff"),
        (b"FORM\x00\x00\x00\x00AIFC", "", "/a", ".aiff"),
        (b".snd\x00\x00\x00\x18", "audio/basic", "/a.au", ".au"),
        (GSM, "audio/x-gsm", "/a", ".gsm"),
        (GSM, "", "/a.GSM", ".gsm"),
        (GSM, "audio/gsm; charset=binary", "/a", ".gsm"),
        (b"\xff\x7f\xfe", "audio/basic", "/a", ".ul"),
        (b"\xff\x7f\xfe", "application/octet-stream", "/a.ulaw", ".ul"),
        (b"\xd8\x00", "audio/basic", "/a.gsm", ".ul"),
        (b"<html>", "text/html", "/a.mp3", None),
        (b"<html>", "audio/mpeg", "/a.mp3", None),
        (b"<html>", "text/html", "/a.ulaw", None),
        (b"no gsm", "audio/gsm", "/a.gsm", None),
        (b"\xff\xff\xff\xff", "audio/mpeg", "/a.mp3", None),
        (b"%PDF-1.4", "application/pdf", "/a.wav", None),
        (b"", "audio/basic", "/a.ul", None),
        (b"", "", "", None),
    ],
)
def test_audio_is_told_by_its_beginning_first(
    beginning: bytes, content_type: str, path: str, suffix: str | None
) -> None:
    assert audio_suffix(beginning, content_type, path) == suffix


DATE = "Tue, 24 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"Cache-Control": "max-age=60"}, 60),
        ({"Cache-Control": 'public, Max-Age="60"', "Age": "20"}, 40),
        ({"Cache-Control": "max-age=60", "Age": "90"}, 0),
        ({"Cache-Control": "max-age=31536000"}, FRESH_MAXIMUM),
        ({"Cache-Control": "max-age=60, no-cache"}, 0),
        ({"Cache-Control": "no-store"}, 0),
        ({"Cache-Control": "max-age=-5"}, 0),
        ({"Cache-Control": "max-age=60", "Expires": DATE, "Date": DATE}, 60),
        ({"Expires": "Tue, 24 Nov 2026 10:01:00 GMT", "Date": DATE}, 60),
        ({"Expires": "0", "Date": DATE}, 0),
        ({"Expires": DATE}, 0),
    ],
)
def test_a_server_says_how_long(headers: dict[str, str], seconds: float) -> None:
    assert fresh_seconds(headers) == seconds


@given(st.dictionaries(st.sampled_from(["Cache-Control", "Age", "Expires", "Date"]), st.text(max_size=40)))
def test_no_header_is_too_strange(headers: dict[str, str]) -> None:
    assert 0 <= fresh_seconds(headers) <= FRESH_MAXIMUM
