"""What S3 says of an object."""

from typing import Any

import pytest

from lambdas.s3_mpeg.errors import ConversionError
from lambdas.s3_mpeg.notification import SourceObject, created_object


def record(name: str = "ObjectCreated:Put", **item: Any) -> dict[str, Any]:
    return {"eventName": name, "s3": {"bucket": {"name": "b"}, "object": item}}


@pytest.mark.parametrize(
    ("encoded", "key"),
    [
        ("a+b.wav", "a b.wav"),
        ("a%2Bb.wav", "a+b.wav"),
        ("%E9%8C%B2%E9%9F%B3/a.wav", "録音/a.wav"),
        ("a%2541.wav", "a%41.wav"),
    ],
)
def test_a_key_comes_url_encoded(encoded: str, key: str) -> None:
    assert created_object(record(key=encoded)) == SourceObject("b", key)


@pytest.mark.parametrize(
    "name", ["ObjectCreated:Copy", "s3:ObjectCreated:CompleteMultipartUpload", "ObjectCreated:Post"]
)
def test_however_it_was_created(name: str) -> None:
    created = created_object(record(name, key="a.wav", eTag='"e"', versionId="v"))
    assert created == SourceObject("b", "a.wav", "v", "e")


def test_another_event_is_about_nothing() -> None:
    assert created_object(record("ObjectRemoved:Delete", key="a.wav")) is None


@pytest.mark.parametrize(
    "broken",
    [
        None,
        [],
        {},
        {"eventName": 1},
        {"eventName": "ObjectCreated:Put"},
        {"eventName": "ObjectCreated:Put", "s3": []},
        {"eventName": "ObjectCreated:Put", "s3": {"object": {"key": "a.wav"}}},
        record(),
        record(key=""),
        record(key=5),
    ],
)
def test_a_broken_record_says_what_it_lacks(broken: Any) -> None:
    with pytest.raises(ConversionError, match="bad_event: a record without "):
        created_object(broken)


@pytest.mark.parametrize(("key", "result"), [("a.wav", "a.mp3"), ("a.wav.WAV", "a.wav.mp3"), ("x/.wav", "x/.mp3")])
def test_the_results_key(key: str, result: str) -> None:
    source = SourceObject("b", key)
    assert source.is_recording
    assert source.key_with(".mp3") == result


def test_it_names_itself_whole() -> None:
    assert str(SourceObject("b", "k.wav", "v1", "e")) == "s3://b/k.wav (version v1)"
    assert str(SourceObject("b", "k.wav", None, "e")) == "s3://b/k.wav (version etag e)"
