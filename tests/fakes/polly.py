"""Amazon Polly, as far as the switch app calls it: voices, and audio that says how long the text was.

Moto's Polly has the voices of years ago, and eight bytes of audio for any text.
"""

import json
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.fakes.quiet_server import ServedFake

TEXT_MAXIMUM = 3000
BYTES_A_CHARACTER = 160
"""Ten milliseconds of 16-bit samples at 8 kHz."""

VOICES: tuple[dict[str, Any], ...] = (
    {"Id": "Joanna", "LanguageCode": "en-US", "SupportedEngines": ["generative", "long-form", "neural", "standard"]},
    {"Id": "Matthew", "LanguageCode": "en-US", "SupportedEngines": ["neural", "standard"]},
    {"Id": "Lotte", "LanguageCode": "nl-NL", "SupportedEngines": ["neural"]},
    {"Id": "Vitoria", "LanguageCode": "pt-BR", "SupportedEngines": ["neural", "standard"]},
    {"Id": "Camila", "LanguageCode": "pt-BR", "SupportedEngines": ["neural", "standard"]},
)


class FakePolly(ServedFake):
    """Polly on 127.0.0.1, as a context.

    Attributes:
        failing: whether it answers nothing but errors.
        delay: seconds before it answers.
        requests: what was asked to be spoken, in its order.
        page: how many voices are described at once.

    """

    def __init__(self) -> None:
        self.failing = False
        self.delay = 0.0
        self.page = 2
        self.requests: list[dict[str, Any]] = []
        super().__init__(_handler_of(self))

    def describe(self, token: str) -> tuple[int, bytes]:
        """Return status and answer to a question for voices."""
        if self.failing:
            return 500, b'{"message": "no"}'
        begin = int(token or 0)
        end = begin + self.page
        answer: dict[str, Any] = {"Voices": VOICES[begin:end]}
        if end < len(VOICES):
            answer["NextToken"] = str(end)
        return 200, json.dumps(answer).encode()

    def speak(self, request: dict[str, Any]) -> tuple[int, bytes]:
        """Return status and audio, or what is wrong with a request."""
        self.requests.append(request)
        self.released.wait(self.delay)
        engines = {voice["Id"]: voice["SupportedEngines"] for voice in VOICES}
        wrong = (
            self.failing
            or len(request["Text"]) > TEXT_MAXIMUM
            or request["TextType"] != "text"
            or request["OutputFormat"] != "pcm"
            or request["SampleRate"] not in ("8000", "16000")
            or request["Engine"] not in engines.get(request["VoiceId"], ())
        )
        if wrong:
            return 400, b'{"message": "no"}'
        return 200, b"\x01\x00" * (BYTES_A_CHARACTER // 2 * len(request["Text"]))


def _handler_of(polly: FakePolly) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            self._answer(*polly.describe(query.get("NextToken", [""])[0]), "application/json")

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._answer(*polly.speak(request), "audio/pcm")

        def _answer(self, status: int, content: bytes, kind: str) -> None:
            self.send_response(status)
            if status >= 400:
                self.send_header("X-Amzn-ErrorType", "ServiceFailureException")
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing; what came is in `requests`."""

    return Handler
