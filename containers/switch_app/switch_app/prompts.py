"""Texts and URLs made audible."""

from typing import Final

from switch_app.audio.downloads import AudioDownloads
from switch_app.call import AudioFile, Prompt, Speech
from switch_app.errors import SynthesisFailed
from switch_app.voices.catalogue import BASIC, BASIC_VOICES, polly_voice
from switch_app.voices.polly import Polly
from switch_app.voices.polly_voices import PollyVoices
from switch_app.voices.resolve import resolve_voice

_FLITE_VOICES: Final = {voice.identifier: voice.name.lower() for voice in BASIC_VOICES}


class VoicesAndAudio:
    """Prompts by the media server's own voices, by Polly and from the web.

    Args:
        voices: which voices there are.
        polly: makes Polly's speech.
        downloads: brings audio.

    """

    def __init__(self, voices: PollyVoices, polly: Polly, downloads: AudioDownloads) -> None:
        self._voices, self._polly, self._downloads = voices, polly, downloads

    def voice(self, name: str, language: str, default: str) -> str:
        """Return the identifier of the voice that a Say is spoken with.

        Args:
            name: the attribute `voice`; empty where it is absent.
            language: the attribute `language`; empty where it is absent.
            default: the account's voice.

        """
        return resolve_voice(self._voices.catalogue, name, language, default)

    async def speech(self, voice: str, text: str) -> Prompt:
        """Return what lets the caller hear a text.

        Raises:
            SynthesisFailed: when there is no such speech.

        """
        if voice.startswith(f"{BASIC}."):
            if voice not in _FLITE_VOICES:
                raise SynthesisFailed(f"there is no voice {voice!r}")
            return Speech(_FLITE_VOICES[voice], text)
        found = self._voices.catalogue.find(voice) or polly_voice(voice)
        if found is None:
            raise SynthesisFailed(f"there is no voice {voice!r}")
        return AudioFile(await self._polly.speech(found, text))

    async def audio(self, url: str) -> AudioFile:
        """Return the audio at a URL, on the disk.

        Raises:
            FetchFailed: when it is not there, too large, or of a kind that cannot be played.

        """
        return AudioFile(await self._downloads.get(url))
