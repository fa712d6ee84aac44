"""What the platform says of a call, parsed once at the edge (an answer of its API, or a request to ours)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from switch_app.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class RoutingParameters:
    """Where an outbound call goes.

    Attributes:
        destination: digits, or `sip:…`.
        address: user and host as they are to be dialled; nothing else applies then.
        dial_string_prefix: put before the number.
        plus_prefix: whether a `+` is put before everything.
        national_dialing: whether the number is dialled in national format.
        host: the trunk's host, with a port or without.
        username: of a client that registers; the number is dialled at its contact.
        sip_profile: what it leaves by.

    """

    destination: str
    address: str | None = None
    dial_string_prefix: str | None = None
    plus_prefix: bool = False
    national_dialing: bool = False
    host: str | None = None
    username: str | None = None
    sip_profile: str = "nat_gateway"

    @classmethod
    def parse(cls, body: object, where: str = "routing_parameters") -> "RoutingParameters":
        """Read it from JSON.

        Raises:
            InvalidRequest: naming the field that is missing or wrong.

        """
        fields = _object(body, where)
        return cls(
            destination=text(fields, "destination", where),
            address=optional_text(fields, "address", where),
            dial_string_prefix=optional_text(fields, "dial_string_prefix", where),
            plus_prefix=_flag(fields, "plus_prefix", where),
            national_dialing=_flag(fields, "national_dialing", where),
            host=optional_text(fields, "host", where),
            username=optional_text(fields, "username", where),
            sip_profile=optional_text(fields, "sip_profile", where) or "nat_gateway",
        )


@dataclass(frozen=True, slots=True)
class BillingParameters:
    """How a call is charged."""

    enabled: bool = False
    category: str = ""
    mode: str = "prepaid"

    @classmethod
    def parse(cls, body: object, where: str = "billing_parameters") -> "BillingParameters":
        """Read it from JSON; absent means that the call is not charged.

        Raises:
            InvalidRequest: naming the field that is wrong.

        """
        if body is None:
            return cls()
        fields = _object(body, where)
        return cls(
            enabled=_flag(fields, "enabled", where),
            category=optional_text(fields, "category", where) or "",
            mode=optional_text(fields, "billing_mode", where) or "prepaid",
        )


@dataclass(frozen=True, slots=True)
class CallProperties:
    """Everything about a call that does not change while it lasts.

    Attributes:
        sid: the platform's identifier of the call.
        carrier_sid, account_sid: who pays and whose call it is.
        account_auth_token: what requests to the customer's server are signed with; it has no repr.
        direction: Twilio's `Direction`: `inbound`, `outbound-api`.
        call_direction: `inbound` or `outbound`.
        api_version: `2010-04-01`.
        to, sender: whom and from whom, as the platform has them (`from` is a word of the language).
        default_tts_voice: `Basic.Kal`.
        voice_url, voice_method: where the first document is; it wins over `twiml`.
        twiml: the first document itself.
        billing: how it is charged.

    """

    sid: str
    carrier_sid: str
    account_sid: str
    account_auth_token: str = field(repr=False)
    direction: str
    call_direction: str
    api_version: str
    to: str
    sender: str
    default_tts_voice: str
    voice_url: str | None
    voice_method: str | None
    twiml: str | None
    billing: BillingParameters = field(default_factory=BillingParameters)

    @classmethod
    def parse(cls, body: object, where: str = "") -> "CallProperties":
        """Read it from JSON. Keys that are not known are ignored.

        Raises:
            InvalidRequest: naming the field that is missing or wrong.

        """
        fields = _object(body, where or "the body")
        properties = cls(
            sid=text(fields, "sid", where),
            carrier_sid=text(fields, "carrier_sid", where),
            account_sid=text(fields, "account_sid", where),
            account_auth_token=text(fields, "account_auth_token", where),
            direction=text(fields, "direction", where),
            call_direction=text(fields, "call_direction", where),
            api_version=text(fields, "api_version", where),
            to=text(fields, "to", where),
            sender=text(fields, "from", where),
            default_tts_voice=text(fields, "default_tts_voice", where),
            voice_url=optional_text(fields, "voice_url", where),
            voice_method=optional_text(fields, "voice_method", where),
            twiml=optional_text(fields, "twiml", where),
            billing=BillingParameters.parse(fields.get("billing_parameters")),
        )
        if not properties.voice_url and not properties.twiml:
            raise InvalidRequest(f"{_name(where, 'voice_url')} and twiml are both missing")
        return properties


def text(fields: Mapping[str, Any], name: str, where: str = "") -> str:
    """Return a field that must be a string that is not empty.

    Raises:
        InvalidRequest: naming the field.

    """
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        problem = "is missing" if value is None else f"is {_kind(value)}, not a non-empty string"
        raise InvalidRequest(f"{_name(where, name)} {problem}")
    return value


def optional_text(fields: Mapping[str, Any], name: str, where: str = "") -> str | None:
    """Return a field that may be absent, null or empty (all None) and must be a string otherwise.

    Raises:
        InvalidRequest: naming the field.

    """
    value = fields.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise InvalidRequest(f"{_name(where, name)} is {_kind(value)}, not a string")
    return value


def _flag(fields: Mapping[str, Any], name: str, where: str) -> bool:
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        raise InvalidRequest(f"{_name(where, name)} is {_kind(value)}, not true or false")
    return bool(value)


def _object(body: object, where: str) -> Mapping[str, Any]:
    if not isinstance(body, dict):
        raise InvalidRequest(f"{where} is missing" if body is None else f"{where} is no JSON object")
    return body


def _name(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _kind(value: object) -> str:
    """Say what kind of value it is, and not which: it may be a secret."""
    return "empty" if value == "" else type(value).__name__
