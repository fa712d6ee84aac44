"""What is in a call data record: read as the media server writes it, and written where it made no channel. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

# A number that is none stands where a value stands; in a string, the same letters are between quotes.
_STRING_OR_NAN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[-+]?\bnan\b', re.IGNORECASE | re.DOTALL)
_BUSY_EVERYWHERE: Final = 600
_BUSY_HERE: Final = 486


class NotWhole(ValueError):
    """A text that is no JSON object: half of one, or something else altogether."""


def parse_document(content: bytes) -> Mapping[str, Any]:
    """Read a record as the media server writes it, which prints a number that is none as `nan`: null here.

    Raises:
        NotWhole: when it cannot be read.

    """
    text = content.decode("utf-8", errors="replace")
    try:
        document = json.loads(_STRING_OR_NAN.sub(_null_for_nan, text) if "nan" in text.lower() else text)
    except (ValueError, RecursionError) as error:
        raise NotWhole(str(error)) from None
    if not isinstance(document, dict):
        raise NotWhole("it is no JSON object")
    return document


def variables_of(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a record's channel variables; empty when it has none."""
    variables = document.get("variables")
    return variables if isinstance(variables, dict) else {}


def counts(document: Mapping[str, Any]) -> bool:
    """Whether it is of the one leg that the platform completes a call by."""
    return variables_of(document).get("record_cdr") == "true"


def call_sid_of(document: Mapping[str, Any]) -> str:
    """Return the platform's identifier of the call that a record is of, as the platform finds it; empty for none."""
    variables = variables_of(document)
    for name in ("sip_rh_X-Somleng-CallSid", "sip_h_X-Somleng-CallSid"):
        if isinstance(sid := variables.get(name), str) and sid:
            return unquote(sid)
    return ""


def write_document(document: Mapping[str, Any]) -> str:
    """Return a record as it is sent: ASCII, and such that it comes out as it went in."""
    # The platform replaces `:nan` by `:null` wherever it stands, in a string too.
    return json.dumps(document, separators=(",", ":"), allow_nan=False).replace(":nan", ":\\u006ean")


def unreached_document(
    uuid: str, call_sid: str, cause: str, sip_status: int | None, epoch: int
) -> Mapping[str, Mapping[str, str]]:
    """Return the record of a call that no channel was ever made of.

    Args:
        uuid: an identifier of its own: the platform takes one record a uuid.
        call_sid: the platform's identifier of the call.
        cause: FreeSWITCH's name of the Q.850 cause.
        sip_status: what the final status follows from: 480, 487, 603 for not answered, 486 or 600 for busy, others for
            failed; None for failed without a status.
        epoch: now, in seconds.

    """
    variables = {
        "record_cdr": "true",
        "uuid": uuid,
        "sip_h_X-Somleng-CallSid": call_sid,
        "direction": "outbound",
        "hangup_cause": cause,
        "duration": "0",
        "billsec": "0",
        "start_epoch": str(epoch),
        "answer_epoch": "0",
        "end_epoch": str(epoch),
    }
    if sip_status is not None:
        # The platform knows one kind of busy.
        variables["sip_term_status"] = str(_BUSY_HERE if sip_status == _BUSY_EVERYWHERE else sip_status)
    return {"variables": variables}


@dataclass(frozen=True, slots=True)
class LostCall:
    """A call that died with the media server.

    Attributes:
        uuid: its channel.
        sid: the platform's identifier of it.
        direction: `inbound` or `outbound`.
        began: when this switch first knew of it, or made its channel, in seconds since the epoch.
        answered: when it was answered, likewise; None when it was not.

    """

    uuid: str
    sid: str
    direction: str
    began: int
    answered: int | None


def lost_document(call: LostCall, epoch: int) -> Mapping[str, Mapping[str, str]]:
    """Return the record of a call that died with the media server, which ends now.

    Args:
        call: the call.
        epoch: now, in seconds.

    """
    answered = call.answered is not None
    variables = {
        "record_cdr": "true",
        "uuid": call.uuid,
        "sip_h_X-Somleng-CallSid": call.sid,
        "direction": call.direction,
        "hangup_cause": "NORMAL_TEMPORARY_FAILURE",
        "duration": str(max(epoch - call.began, 0)),
        "billsec": str(max(epoch - call.answered, 0)) if call.answered is not None else "0",
        "start_epoch": str(call.began),
        "answer_epoch": str(call.answered or 0),
        "end_epoch": str(epoch),
        "sip_term_status": "200" if answered else "503",
    }
    return {"variables": variables}


def _null_for_nan(match: re.Match[str]) -> str:
    return match[0] if match[0].startswith('"') else "null"
