"""Which voice a Say is spoken with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch_app.voices.catalogue import Catalogue, polly_voice, polly_voices
from switch_app.voices.resolve import resolve_voice
from tests.fakes.polly import VOICES

CATALOGUE = Catalogue(polly_voices(VOICES))


@pytest.mark.parametrize(
    ("name", "language", "default", "expected"),
    [
        ("", "", "Basic.Slt", "Basic.Slt"),  # APP-29
        ("woman", "", "Basic.Kal", "Basic.Slt"),  # APP-30
        ("man", "", "Polly.Joanna", "Basic.Kal"),
        ("woman", "de", "Basic.Kal", "Basic.Slt"),  # APP-25
        ("Polly.Lotte-Neural", "", "Basic.Kal", "Polly.Lotte-Neural"),  # APP-31
        ("", "en", "Basic.Kal", "Basic.Kal"),  # APP-32
        ("", "nl-NL", "Polly.Joanna", "Polly.Lotte-Neural"),  # APP-33
        ("", "pt-BR", "Polly.Vitoria", "Polly.Vitoria"),  # APP-34
        ("", "PT-br", "Polly.Vitoria", "Polly.Vitoria"),
        ("", "pt-BR", "Polly.Joanna", "Polly.Camila"),  # Standard before Neural
        ("", "EN-us", "Polly.Vitoria", "Polly.Joanna"),
        ("", "es-ES", "Basic.Slt", "Basic.Slt"),
        ("", "nl-NL", "Basic.Kal", "Basic.Kal"),  # the same provider, or none
        ("", "xx-XX", "Polly.Joanna", "Polly.Joanna"),
        ("Polly.Joanna-Generative", "", "Basic.Kal", "Polly.Joanna-Generative"),
        ("Polly.Joanna-Long-form", "", "Basic.Kal", "Polly.Joanna-Long-form"),
        ("Polly.Nobody", "pt-BR", "Polly.Vitoria", "Polly.Vitoria"),
        ("polly.joanna", "", "Basic.Slt", "Basic.Slt"),  # exactly, or not
        ("alice", "nl-NL", "Basic.Kal", "Basic.Kal"),
        ("", "", "Basic.Nobody", "Basic.Kal"),
        ("Basic.Nobody", "", "", "Basic.Kal"),
    ],
)
def test_a_voice_is_resolved(name: str, language: str, default: str, expected: str) -> None:
    assert resolve_voice(CATALOGUE, name, language, default) == expected


def test_without_polly_a_default_of_pollys_is_taken_at_the_platforms_word() -> None:
    assert resolve_voice(Catalogue(), "", "nl-NL", "Polly.Joanna-Neural") == "Polly.Joanna-Neural"
    assert resolve_voice(Catalogue(), "Polly.Lotte", "", "Basic.Slt") == "Basic.Slt"


def test_voices_are_in_the_platforms_order() -> None:
    assert [voice.identifier for voice in CATALOGUE.voices] == [
        "Basic.Kal",
        "Basic.Slt",
        "Polly.Camila",
        "Polly.Vitoria",
        "Polly.Camila-Neural",
        "Polly.Vitoria-Neural",
        "Polly.Lotte-Neural",
        "Polly.Joanna",
        "Polly.Matthew",
        "Polly.Joanna-Neural",
        "Polly.Matthew-Neural",
        "Polly.Joanna-Long-form",
        "Polly.Joanna-Generative",
    ]


@pytest.mark.parametrize(
    ("identifier", "name", "engine"),
    [
        ("Polly.Matthew", "Matthew", "standard"),  # FS-1
        ("Polly.Joanna-Neural", "Joanna", "neural"),  # FS-2
        ("Polly.Joanna-Generative", "Joanna", "generative"),  # FS-3
        ("Polly.Joanna-Long-form", "Joanna", "long-form"),
    ],
)
def test_an_identifier_names_voice_and_engine(identifier: str, name: str, engine: str) -> None:
    voice = polly_voice(identifier)
    assert voice is not None
    assert (voice.name, voice.engine, voice.identifier) == (name, engine, identifier)


@pytest.mark.parametrize("identifier", ["Basic.Kal", "Polly", "Polly.", "", "Google.Joanna"])
def test_what_is_none_of_pollys_is_none(identifier: str) -> None:
    assert polly_voice(identifier) is None


@given(st.text(max_size=20), st.text(max_size=8), st.text(max_size=20))
def test_there_is_always_a_voice(name: str, language: str, default: str) -> None:
    identifier = resolve_voice(CATALOGUE, name, language, default)
    assert CATALOGUE.find(identifier) is not None or polly_voice(identifier) is not None
