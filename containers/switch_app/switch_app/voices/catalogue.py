"""The voices that there are, as the platform names and orders them. Pure.

Both sides must have the same list: the platform refuses to take note of a voice that it does not know.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

BASIC: Final = "Basic"
POLLY: Final = "Polly"
STANDARD: Final = "standard"


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice.

    Attributes:
        provider: `Basic`, spoken by the media server, or `Polly`.
        name: the provider's name of it: `Kal`, `Joanna`.
        language: `en-US`.
        engine: Polly's engine: `standard`, `neural`, `generative`, `long-form`.

    """

    provider: str
    name: str
    language: str
    engine: str = STANDARD

    @property
    def identifier(self) -> str:
        """What documents and the platform call it: `Polly.Joanna-Neural`."""
        suffix = "" if self.engine == STANDARD else f"-{self.engine.capitalize()}"
        return f"{self.provider}.{self.name}{suffix}"


BASIC_VOICES: Final = (Voice(BASIC, "Kal", "en-US"), Voice(BASIC, "Slt", "en-US"))
MAN: Final = BASIC_VOICES[0].identifier
WOMAN: Final = BASIC_VOICES[1].identifier


def polly_voice(identifier: str, language: str = "") -> Voice | None:
    """Return the voice of Polly's that an identifier names, whether there is such a voice or not; None when it names
    none of Polly's."""
    provider, _, name = identifier.partition(".")
    name, _, engine = name.partition("-")
    return Voice(POLLY, name, language, engine.lower() or STANDARD) if provider == POLLY and name else None


def polly_voices(described: Iterable[Mapping[str, Any]]) -> Sequence[Voice]:
    """Return Polly's voices, one for each engine that a voice has, in the platform's order.

    Args:
        described: what `DescribeVoices` answers of each.

    """
    voices = [
        Voice(POLLY, str(voice["Id"]), str(voice["LanguageCode"]), str(engine))
        for voice in described
        for engine in voice.get("SupportedEngines") or (STANDARD,)
    ]
    # Languages and engines backwards, so that Standard comes before Neural within a language. The platform's order of
    # what is equal in both is left to chance; here it is the order of the names.
    by_name = sorted(voices, key=lambda voice: voice.identifier)
    return sorted(by_name, key=lambda voice: (voice.language, voice.engine.capitalize()), reverse=True)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The voices in their order: the media server's own first.

    Attributes:
        polly: Polly's; none while they are not known.

    """

    polly: Sequence[Voice] = ()
    _by_identifier: Mapping[str, Voice] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_identifier", {voice.identifier: voice for voice in self.voices})

    @property
    def voices(self) -> Sequence[Voice]:
        """All of them."""
        return (*BASIC_VOICES, *self.polly)

    def find(self, identifier: str) -> Voice | None:
        """Return the voice with exactly that identifier."""
        return self._by_identifier.get(identifier)

    def first(self, provider: str, language: str) -> Voice | None:
        """Return the first voice of a provider that speaks a language; upper and lower case are the same."""
        wanted = language.lower()
        candidates = (voice for voice in self.voices if voice.provider == provider)
        return next((voice for voice in candidates if voice.language.lower() == wanted), None)
