"""What requests carry, read into values."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from switch_app.call_properties import CallProperties, RoutingParameters, optional_text
from switch_app.errors import InvalidRequest
from switch_app.interpreter import Update

_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,64}")
"""What can stand in a SIP header and in a file's name of any call: a UUID in practice."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


async def read_json(request: web.Request) -> Mapping[str, Any]:
    """Return the JSON object that a request carries.

    Raises:
        web.HTTPException: 400 when it carries none.

    """
    text = await request.read()
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        raise _BadRequest("the body is no JSON") from None
    if not isinstance(body, dict):
        raise _BadRequest("the body is no JSON object")
    return body


def read_call(body: Mapping[str, Any]) -> tuple[CallProperties, RoutingParameters]:
    """Return a call that is to be made, and where it goes.

    Raises:
        InvalidRequest: naming the field that is missing or wrong.

    """
    properties = CallProperties.parse(body)
    routing = RoutingParameters.parse(body.get("routing_parameters"))
    _check_method(properties.voice_method)
    for name, value in (
        ("sid", properties.sid),
        ("account_sid", properties.account_sid),
        ("carrier_sid", properties.carrier_sid),
    ):
        if not _TOKEN.fullmatch(value):
            raise InvalidRequest(f"{name} is no identifier")
    for name, text in (
        ("to", properties.to),
        ("from", properties.sender),
        ("routing_parameters.destination", routing.destination),
        ("routing_parameters.address", routing.address or ""),
        ("routing_parameters.dial_string_prefix", routing.dial_string_prefix or ""),
        ("routing_parameters.host", routing.host or ""),
        ("routing_parameters.username", routing.username or ""),
        ("routing_parameters.sip_profile", routing.sip_profile),
    ):
        if _CONTROL.search(text):
            raise InvalidRequest(f"{name} has control characters in it")
    return properties, routing


def read_update(body: Mapping[str, Any]) -> Update:
    """Return what a live call is to do instead of what it does.

    Raises:
        InvalidRequest: naming the field that is missing or wrong.

    """
    update = Update(
        voice_url=optional_text(body, "voice_url"),
        voice_method=optional_text(body, "voice_method"),
        twiml=optional_text(body, "twiml"),
    )
    if not update.voice_url and not update.twiml:
        raise InvalidRequest("voice_url and twiml are both missing")
    _check_method(update.voice_method)
    return update


def _check_method(method: str | None) -> None:
    if method not in (None, "GET", "POST"):
        raise InvalidRequest("voice_method is neither GET nor POST")


class _BadRequest(web.HTTPBadRequest):
    def __init__(self, message: str) -> None:
        super().__init__(reason=message)
