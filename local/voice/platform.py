"""The desk of the stand-in for the call platform, as a client of another process."""

import json
import urllib.error
import urllib.request
from typing import Any

from local.errors import LocalError


class PlatformDesk:
    """A platform's desk.

    Args:
        url: the platform's.

    """

    def __init__(self, url: str) -> None:
        self._url = f"{url}/desk"
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def set_number(self, number: str, voice_url: str) -> None:
        """Have a number lead to a document."""
        self._ask("PUT", f"numbers/{number}", {"voice_url": voice_url, "voice_method": "POST"})

    def set_routing(self, **parameters: Any) -> None:
        """Have calls for a Dial routed by some parameters, over the usual ones."""
        self._ask("PUT", "routing", parameters)

    def make_call(self, switch: str, to: str, voice_url: str, **routing: Any) -> dict[str, Any]:
        """Have a switch, at a URL, call somebody; return the call's `sid`, and `id` and `host` as the switch says."""
        body = {"switch": switch, "to": to, "voice_url": voice_url, "routing_parameters": routing}
        return dict(self._ask("POST", "calls", body))

    def told(self, collection: str) -> Any:
        """Return what the platform was told: `calls`, `call_events`, `recordings` and so on."""
        return self._ask("GET", f"told/{collection}")

    def records_of(self, sid: str) -> list[dict[str, Any]]:
        """Return the variables of a call's data records that count."""
        records = [record["variables"] for record in self.told("call_data_records")]
        names = ("sip_h_X-Somleng-CallSid", "sip_rh_X-Somleng-CallSid")
        return [record for record in records if sid in [record.get(name) for name in names]]

    def events_of(self, external_id: str) -> list[str]:
        """Return the events of a call that the platform was told, in their order."""
        return [event["type"] for event in self.told("call_events") if event["phone_call"] == external_id]

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self._url}/{path}", data=data, headers=headers, method=method)  # noqa: S310
        try:
            with self._opener.open(request, timeout=15) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise LocalError(f"the platform answers {error.code} to {path}: {error.read().decode()}") from error
