"""Which voice a text is spoken with. Pure."""

from typing import Final

from switch_app.voices.catalogue import MAN, WOMAN, Catalogue, polly_voice

_GENDERS: Final = {"man": MAN, "woman": WOMAN}


def resolve_voice(catalogue: Catalogue, name: str, language: str, default: str) -> str:
    """Return the identifier of a voice.

    A voice that is named wins, whatever the language. Without one, the default speaks its own language, and the first
    voice of the same provider any other. What is not known is spoken with the default.

    Args:
        catalogue: the voices that there are.
        name: `man`, `woman` or an identifier; empty for none.
        language: `pt-BR`; empty for none.
        default: the account's voice. One of Polly's is taken at the platform's word while Polly's are not known; any
            other that is not known is the first of all.

    """
    fallback = catalogue.find(default)
    default = default if fallback is not None or polly_voice(default) is not None else MAN
    if name:
        name = _GENDERS.get(name, name)
        return name if catalogue.find(name) is not None else default
    if not language or fallback is None or fallback.language.lower() == language.lower():
        return default
    found = catalogue.first(fallback.provider, language)
    return default if found is None else found.identifier
