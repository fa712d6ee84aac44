"""The metadata of a result."""

from email.header import decode_header

from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.s3_mpeg.metadata import is_made_of, result_metadata, source_identity

IDENTITY = source_identity("e" * 35, "v" * 32)


def test_a_result_is_known_by_its_sources_etag_and_version() -> None:
    assert is_made_of(source_identity("e", "v"), "e", "v")
    assert is_made_of(source_identity("e", None), "e", None)
    assert not is_made_of(source_identity("e", "v"), "e", "w")
    assert not is_made_of(source_identity("e", None), "f", None)
    assert not is_made_of({}, "e", None)


@given(st.dictionaries(st.text("abc-", min_size=1, max_size=9), st.text("é x", max_size=900)))
@settings(deadline=None)
def test_it_never_exceeds_what_s3_allows_and_loses_nothing_silently(source: dict[str, str]) -> None:
    metadata, dropped = result_metadata(source, IDENTITY)

    assert sum(len(name) + len(value) for name, value in metadata.items()) <= 2048
    assert metadata.items() >= IDENTITY.items()
    assert {*metadata, *dropped} == {*source, *IDENTITY}
    assert all(value.isascii() and "\n" not in value for value in metadata.values())


def test_the_sources_own_claim_to_be_a_result_is_not_kept() -> None:
    assert result_metadata({"source-etag": "other"}, IDENTITY) == (IDENTITY, [])


def test_what_is_not_ascii_is_encoded_as_headers_are() -> None:
    metadata, _ = result_metadata({"caller": "ソムレング"}, {})
    [(value, charset)] = decode_header(metadata["caller"])
    assert isinstance(value, bytes)
    assert value.decode(charset or "") == "ソムレング"
