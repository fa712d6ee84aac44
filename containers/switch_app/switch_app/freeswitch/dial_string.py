"""Dial strings: what FreeSWITCH is told to ring, with the channel's variables.

Addresses, names and passwords come from strangers, and a dial string is a small language: commas and bars part legs,
brackets hold variables, quotes and backslashes escape. It has no way to write every text, so a text that could mean
more than itself is refused.
"""

import re
from collections.abc import Mapping
from typing import Final

from switch_app.call import Leg
from switch_app.errors import MediaServerError

NOT_REACHED: Final = "480"
"""What a leg's record says when no final answer of the callee's came: it rang out, or was called off (contract C2)."""

_MEDIA_MILLISECONDS: Final = 300_000
"""Without media for so long a leg ends: its BYE was lost. Calls that come in have it from the dialplan."""

_UUID: Final = re.compile(r"[0-9A-Za-z-]{1,64}")
_PROFILE: Final = re.compile(r"[a-z_]{1,40}")
_ADDRESS: Final = re.compile(
    r"[0-9A-Za-z+*#.!~_%&=?;-]{1,200}@[0-9A-Za-z.-]{1,253}(?::[0-9]{1,5})?(?:;transport=(?:udp|tcp))?"
)
_HOST_AND_PORT: Final = re.compile(r"[0-9A-Za-z.-]{1,253}(?::[0-9]{1,5})?")
_HEADER: Final = re.compile(r"[0-9A-Za-z-]{1,100}")
_NEXT_GROUP: Final = ":_:"
_SPACE: Final = "\\s"
_VALUE: Final = re.compile(r"[^\x00-\x1f\x7f,'\"\\\[\]{}<>|$^`]{1,1000}")


def variables_of(leg: Leg) -> Mapping[str, str]:
    """Return the variables of a leg's channel: it is the one of its call that is recorded.

    Raises:
        MediaServerError: naming what cannot be dialled.

    """
    variables = {
        "origination_uuid": leg.uuid,
        "origination_caller_id_number": leg.caller_id,
        "origination_caller_id_name": leg.caller_id,
        "record_cdr": "true",
        "somleng_call_sid": leg.call_sid,
        "sip_h_X-Somleng-CallSid": leg.call_sid,
        # FreeSWITCH overwrites it with the callee's answer, and writes nothing where there is none.
        "sip_term_status": NOT_REACHED,
        "execute_on_answer": "set:sip_term_status=200",
        "media_timeout": str(_MEDIA_MILLISECONDS),
        # Nothing of one leg's headers is passed on to another.
        "sip_copy_custom_headers": "false",
    }
    if leg.credentials is not None:
        variables["sip_auth_username"] = leg.credentials.username
        variables["sip_auth_password"] = leg.credentials.password
    for name, value in leg.headers.items():
        if not _HEADER.fullmatch(name):
            raise MediaServerError(f"a SIP header's name is {name[:60]!r}")
        variables[f"sip_h_{name}"] = value
    for name, value in leg.variables.items():
        if not _HEADER.fullmatch(name.replace("_", "-")):
            raise MediaServerError(f"a variable's name is {name[:60]!r}")
        variables[name] = value
    return variables


def endpoint_of(leg: Leg) -> str:
    """Return where a leg goes: `sofia/nat_gateway/855…@27.109.112.140`.

    Raises:
        MediaServerError: naming what cannot be dialled.

    """
    for what, value, pattern in (
        ("the identifier of a leg", leg.uuid, _UUID),
        ("the profile of a leg", leg.profile, _PROFILE),
        ("the address of a leg", leg.address, _ADDRESS),
        ("the proxy of a leg", leg.proxy or "none", _HOST_AND_PORT),
    ):
        if not pattern.fullmatch(value):
            raise MediaServerError(f"{what} cannot be dialled: {value[:100]!r}")
    proxy = f";fs_path=sip:{leg.proxy}" if leg.proxy else ""
    return f"sofia/{leg.profile}/{leg.address}{proxy}"


def bracketed(variables: Mapping[str, str], brackets: str, *, spaces: bool) -> str:
    r"""Return variables as a dial string has them.

    Args:
        variables: by name.
        brackets: `[]` for one leg, `{}` for all.
        spaces: whether a space may stand as it is; where words are parted by it, it is written `\s`.

    Raises:
        MediaServerError: naming a variable that cannot be written; not its value, which may be a password.

    """
    written = []
    for name, value in variables.items():
        if not value:
            continue
        if not _VALUE.fullmatch(value) or _NEXT_GROUP in value:
            raise MediaServerError(f"a dial string cannot have the value of {name}")
        written.append(f"{name}={value if spaces else value.replace(' ', _SPACE)}")
    return f"{brackets[0]}{','.join(written)}{brackets[1]}"
