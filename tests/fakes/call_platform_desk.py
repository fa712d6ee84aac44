"""What people do at the call platform, and see there: numbers, routing, calls that are made, and what the switch told.

Other processes reach it over HTTP below `/desk`; the switch has no business there. Numbers and routing are set as
`PlatformResources` has them.

    PUT  /desk/numbers/1234   {"voice_url": "http://127.0.0.1:8000/menu.xml"}
    PUT  /desk/routing        {"host": "127.0.0.1"}
    POST /desk/calls          {"switch": "http://127.0.0.1", "to": "+855…", "routing_parameters": {…}, …}
    GET  /desk/told/calls     and every other collection of `PlatformResources`; what was `refused`
"""

import base64
import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from http import HTTPStatus
from typing import Any

from tests.fakes.call_platform_resources import Answer, PlatformResources

_PREFIX = "/desk/"
_COLLECTIONS = (
    "capacities",
    "calls",
    "inbound_calls",
    "outbound_calls",
    "call_events",
    "tts_events",
    "recordings",
    "media_streams",
    "media_stream_events",
    "heartbeats",
    "call_data_records",
    "refused",
)
_CALL = {
    "carrier_sid": "2f0f6ad0-1f38-4d55-8e0e-7f2d0a0fd0c1",
    "account_sid": "9e2ec5f6-7a77-4f5c-a2ad-d0a80a6b4d0f",
    "account_auth_token": "auth-token",
    "direction": "outbound-api",
    "api_version": "2010-04-01",
    "voice_url": None,
    "voice_method": "POST",
    "twiml": None,
    "from": "2442",
    "default_tts_voice": "Basic.Kal",
    "call_direction": "outbound",
    "billing_parameters": {"enabled": False, "category": "outbound_calls", "billing_mode": "prepaid"},
}
"""What the platform says of a call that it makes; every field is always there."""
_ROUTING = {
    "address": None,
    "destination": None,
    "dial_string_prefix": None,
    "plus_prefix": False,
    "national_dialing": False,
    "host": None,
    "username": None,
    "sip_profile": "nat_gateway",
}


class Desk:
    """The desk of a platform.

    Args:
        platform: what it is about.
        switch_credentials: user and password that the switches let the platform in with.

    """

    def __init__(self, platform: PlatformResources, switch_credentials: tuple[str, str]) -> None:
        self._platform = platform
        credentials = base64.b64encode(":".join(switch_credentials).encode()).decode()
        self._headers = {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "Authorization": f"Basic {credentials}",
        }
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    @staticmethod
    def is_for(path: str) -> bool:
        """Whether a request is for the desk."""
        return path.startswith(_PREFIX)

    def answer(self, method: str, path: str, body: Any) -> Answer:
        """Return what a request is answered with."""
        what, _, name = path.removeprefix(_PREFIX).partition("/")
        if (method, what) == ("GET", "told") and name in _COLLECTIONS:
            return HTTPStatus.OK, _as_json(getattr(self._platform, name))
        if not isinstance(body, dict):
            return HTTPStatus.NOT_FOUND, {"error": "the desk has no such thing"}
        if (method, what) == ("PUT", "numbers") and name:
            self._platform.numbers[name] = body
            return HTTPStatus.OK, body
        if (method, what) == ("PUT", "routing"):
            self._platform.routing = body
            return HTTPStatus.OK, body
        if (method, what) == ("POST", "calls"):
            return self._make_call(dict(body))
        return HTTPStatus.NOT_FOUND, {"error": "the desk has no such thing"}

    def _make_call(self, wanted: dict[str, Any]) -> Answer:
        """Have a switch make a call, as the platform does for its customers."""
        switch = wanted.pop("switch")
        call = self._platform.add_call(str(uuid.uuid4()))
        routing = {**_ROUTING, **wanted.pop("routing_parameters", {})}
        body = {"sid": call.sid, **_CALL, **wanted, "routing_parameters": routing}
        request = urllib.request.Request(
            f"{switch}/calls", data=json.dumps(body).encode(), headers=self._headers, method="POST"
        )
        try:
            with self._opener.open(request, timeout=10) as answer:
                made = json.load(answer)
        except urllib.error.HTTPError as error:
            return HTTPStatus.BAD_GATEWAY, {"error": f"the switch answers {error.code}: {error.read().decode()}"}
        call.external_id = made["id"]
        return HTTPStatus.CREATED, {"sid": call.sid, **made}


def _as_json(collection: Any) -> Any:
    if isinstance(collection, Mapping):
        return {name: _as_json(value) for name, value in list(collection.items())}
    if isinstance(collection, list):
        return [_as_json(value) for value in list(collection)]
    return asdict(collection) if is_dataclass(collection) and not isinstance(collection, type) else collection
