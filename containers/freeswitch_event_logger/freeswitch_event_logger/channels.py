"""The channels that FreeSWITCH has, as it lists them. Pure."""

import json
from collections.abc import Sequence
from typing import Final

from switch_app.errors import EventSocketError

COMMAND: Final = "show channels as json"
"""FreeSWITCH answers it from its core database; with `-nosql` it answers with an error."""


def channel_uuids(output: str) -> Sequence[str]:
    """Return the uuids of the channels, each once, in their order.

    Args:
        output: what `show channels as json` was answered.

    Raises:
        EventSocketError: when it is no list.

    """
    try:
        listed = json.loads(output)
        rows = listed.get("rows", []) if listed["row_count"] else []
        uuids = [row["uuid"] for row in rows]
    except (ValueError, TypeError, KeyError, AttributeError):
        raise EventSocketError(f"FreeSWITCH does not list its channels: {output[:100]!r}") from None
    return list(dict.fromkeys(uuid for uuid in uuids if isinstance(uuid, str) and uuid))
