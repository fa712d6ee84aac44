"""A call that runs TwiML with no media server, platform or network, on a clock that jumps."""

import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from switch_app.call import AudioFile, Prompt, Speech
from switch_app.call_properties import CallProperties
from switch_app.interpreter import Interpreter, Update
from switch_app.media_streams.call_streams import CallStreams
from switch_app.media_streams.conversation import StreamLimits
from switch_app.services import Services
from switch_app.session import Session
from tests.fakes.call import Callee, FakeCall
from tests.fakes.switch_services import (
    FakeCallDataRecords,
    FakeDocuments,
    FakePlatform,
    FakePrompts,
    FakeRecordings,
    FakeRoutes,
)
from tests.fakes.web_sockets import FakeWebSockets
from tests.support import virtual_time

URL = "https://www.example.com/twiml.xml"
CALL_SID = "9802a301-aed5-41c8-b662-e3d3180a3eb4"


def properties(**changes: Any) -> CallProperties:
    """Return what the platform says of a call, with some of it changed."""
    body = {
        "sid": CALL_SID,
        "carrier_sid": "carrier",
        "account_sid": "account",
        "account_auth_token": "token",
        "direction": "inbound",
        "call_direction": "inbound",
        "api_version": "2010-04-01",
        "to": "1000",
        "from": "+85512456869",
        "default_tts_voice": "Basic.Kal",
        "voice_url": URL,
        "voice_method": "POST",
        "twiml": None,
    }
    return CallProperties.parse({**body, **changes})


@dataclass
class Run:
    """A call that has run, or is about to: what it was given, and what is to be seen of it.

    Attributes:
        twiml: the first document, at `URL`.
        documents: more documents, by URL.
        script: what the caller and the world do, before it runs.
        callees: whom it can reach.
        properties: changes to what the platform says.
        stream_limits, insecure_streams: of media streams.

    """

    twiml: str
    documents: dict[str, str | Exception] = field(default_factory=dict)
    script: Callable[["Run"], None] = lambda run: None
    callees: dict[str, Callee] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    is_answered: bool = False
    stream_limits: StreamLimits = field(default_factory=StreamLimits)
    insecure_streams: bool = False
    prepare: Callable[["Run"], None] = lambda run: None

    call: FakeCall = field(init=False)
    interpreter: Interpreter = field(init=False)
    session: Session = field(init=False)

    def __post_init__(self) -> None:
        self.directory = tempfile.TemporaryDirectory()
        self.server = FakeDocuments({URL: self.twiml, **self.documents})
        self.platform, self.prompts = FakePlatform(), FakePrompts()
        self.recordings, self.routes = FakeRecordings(Path(self.directory.name)), FakeRoutes()
        self.records, self.web_sockets = FakeCallDataRecords(), FakeWebSockets()
        self.counted: Counter[str] = Counter()
        self.prepare(self)
        virtual_time.run(self._run())
        self.directory.cleanup()

    async def _run(self) -> None:
        said = properties(**self.properties)
        streams = CallStreams(
            said,
            self.platform,
            self.server,
            self.web_sockets,
            self.stream_limits,
            insecure=self.insecure_streams,
            count=lambda name: self.counted.update([name]),
        )
        services = Services(
            documents=self.server,
            platform=self.platform,
            prompts=self.prompts,
            recordings=self.recordings,
            routes=self.routes,
            call_data_records=self.records,
            media_streams=streams,
        )
        self.call = FakeCall(callees=self.callees, is_answered=self.is_answered)
        self.session = Session(self.call, said, services)
        self.interpreter = Interpreter(self.session)
        self.script(self)
        await self.interpreter.run()

    # What a test asks.

    @property
    def requests(self) -> list[tuple[str, str]]:
        """What the customer's server was asked after the first document: method and URL."""
        return [(asked.method, asked.url) for asked in self.server.asked[1:]]

    @property
    def last(self) -> dict[str, str]:
        """The parameters of the last request."""
        return self.server.asked[-1].parameters

    @property
    def heard(self) -> list[str]:
        """What was said and played, as a text or a URL."""
        return [_described(prompt) for prompt in self.call.played]

    def update(self, at: float, update: Update) -> None:
        """Have the call be told to do something else at a moment."""
        self.call.after(at, self.interpreter.update, update)


def _described(prompt: Prompt) -> str:
    if isinstance(prompt, Speech):
        return prompt.text
    if isinstance(prompt, AudioFile):
        return unquote(str(prompt.path))
    return repr(prompt)
