"""The platform's desk: numbers are set, calls made with every field of the contract, and what was told is shown."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from local.errors import LocalError
from local.voice.platform import PlatformDesk
from tests.containers.switch_app.switch import CALL
from tests.fakes.call_platform import CallPlatform
from tests.fakes.quiet_server import ServedFake


class Switch(ServedFake):
    """A switch that notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.status = 200
        switch = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                switch.asked.append((self.path, self.headers["Authorization"], body))
                self.send_response(switch.status)
                self.end_headers()
                self.wfile.write(b'{"id": "channel", "host": "127.0.0.1"}')

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        super().__init__(Handler)


@pytest.fixture
def platform() -> Iterator[CallPlatform]:
    with CallPlatform("services", "secret", switch_credentials=("adhearsion", "password")) as running:
        yield running


def test_a_call_is_made_with_every_field_and_noted(platform: CallPlatform) -> None:
    desk = PlatformDesk(platform.url)
    with Switch() as switch:
        made = desk.make_call(switch.url, "+85516701722", "http://customer/x.xml", username="user1", destination="1")
        ((path, authorization, body),) = switch.asked
        assert (path, authorization) == ("/calls", "Basic YWRoZWFyc2lvbjpwYXNzd29yZA==")
        assert set(body) == set(CALL) - {"status_callback_url", "status_callback_method"} | {"twiml"}
        assert set(body["routing_parameters"]) == set(CALL["routing_parameters"])
        assert body["routing_parameters"]["username"] == "user1"
        assert made == {"sid": body["sid"], "id": "channel", "host": "127.0.0.1"}
        assert platform.calls[body["sid"]].external_id == "channel"
        switch.status = 503
        with pytest.raises(LocalError, match="the switch answers 503"):
            desk.make_call(switch.url, "+85516701722", "http://customer/x.xml")


def test_numbers_and_routing_are_set_and_what_was_told_is_shown(platform: CallPlatform) -> None:
    desk = PlatformDesk(platform.url)
    desk.set_number("1234", "http://customer/x.xml")
    desk.set_routing(host="127.0.0.5")
    assert platform.numbers == {"1234": {"voice_url": "http://customer/x.xml", "voice_method": "POST"}}
    assert platform.routing == {"host": "127.0.0.5"}
    platform.call_events.append({"type": "ringing", "phone_call": "channel"})
    assert desk.events_of("channel") == ["ringing"]
    assert desk.events_of("another") == []


def test_what_the_platform_refused_is_shown_and_the_desk_is_no_request(platform: CallPlatform) -> None:
    desk = PlatformDesk(platform.url)
    with pytest.raises(LocalError, match="404"):
        desk.told("secrets")
    assert desk.told("refused") == []
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"{platform.url}/recordings", data=b"{}", timeout=5)
    (refused,) = desk.told("refused")
    assert (refused["method"], refused["path"], refused["status"]) == ("POST", "/recordings", 401)
    assert len(platform.requests) == 1
