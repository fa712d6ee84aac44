"""The legs of a `<Dial>`: calls that the platform makes, each of which ends with a call data record."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final

from switch_app.billing import billing_variables
from switch_app.call import Leg, LegResult
from switch_app.call_data_records.document import LostCall
from switch_app.call_data_records.owed import channel_of
from switch_app.errors import PlatformRefused, PlatformUnavailable
from switch_app.services import OutboundCall
from switch_app.session import Session
from switch_app.verbs.dial_nouns import Noun

logger = logging.getLogger(__name__)

_CANCELED: Final = ("ORIGINATOR_CANCEL", 487)
_NOT_REGISTERED: Final = ("USER_NOT_REGISTERED", 480)
_NOT_ROUTED: Final = ("NORMAL_TEMPORARY_FAILURE", None)


@dataclass(frozen=True, slots=True)
class Children:
    """What the platform made of the nouns.

    Attributes:
        calls: one a noun, in their order.
        legs: of those that can be dialled.

    """

    calls: Sequence[OutboundCall]
    legs: Sequence[Leg]


async def prepare(session: Session, nouns: Sequence[Noun], caller_id: str | None) -> Children:
    """Have the calls made, and find how they leave.

    Once the platform has made them, they need a record each, or they never end there. So this goes on when the verb is
    cut short meanwhile, and then has a record written for each.

    Raises:
        PlatformRefused, PlatformUnavailable: when none was made.

    """
    preparation = session.begin(_prepare(session, nouns, caller_id))
    try:
        return await session.finish(preparation)
    except asyncio.CancelledError:
        session.begin(_abandon(session, preparation))
        raise


def note_unreached(session: Session, leg: Leg, result: LegResult) -> None:
    """Have a record written for a leg that no channel was made of."""
    # One that was given up before it began ends like one that was given up while it rang.
    canceled = result.cause == _CANCELED[0] and result.sip_status is None
    status = _CANCELED[1] if canceled else result.sip_status
    session.services.call_data_records.note_unreached(leg.call_sid, result.cause, status)


def note_lost(session: Session, leg: Leg, began: int, answered: int | None) -> None:
    """Have a record written for a leg that died with the media server."""
    logger.error("call of a Dial is lost with the media server", extra={"call_sid": leg.call_sid})
    session.services.call_data_records.note_lost(LostCall(leg.uuid, leg.call_sid, "outbound", began, answered))


async def _prepare(session: Session, nouns: Sequence[Noun], caller_id: str | None) -> Children:
    platform = session.services.platform
    destinations = [noun.destination for noun in nouns]
    calls = await platform.create_outbound_calls(session.properties.sid, destinations, caller_id)
    noting = session.begin(session.services.call_data_records.note_owed([call.sid for call in calls]))
    legs = await asyncio.gather(
        *(_leg(session, call, noun) for call, noun in zip(calls, nouns, strict=True)), return_exceptions=True
    )
    await noting  # before anything is dialled, and while routes are found
    found = []
    for call, leg in zip(calls, legs, strict=True):
        if isinstance(leg, Leg):
            found.append(leg)
            continue
        is_not_registered = isinstance(leg, PlatformRefused) and leg.status == HTTPStatus.NOT_FOUND
        cause, status = _NOT_REGISTERED if is_not_registered else _NOT_ROUTED
        expected = isinstance(leg, (PlatformRefused, PlatformUnavailable))
        extra = {"call_sid": call.sid, "reason": str(leg)}
        logger.log(
            logging.WARNING if expected else logging.ERROR,
            "call cannot be dialled",
            extra=extra,
            exc_info=None if expected else leg,
        )
        session.services.call_data_records.note_unreached(call.sid, cause, status)
    return Children(calls, found)


async def _leg(session: Session, call: OutboundCall, noun: Noun) -> Leg:
    leg = await session.services.routes.leg(
        call.routing, call.sid, call.sender, account_sid=call.account_sid, carrier_sid=call.carrier_sid
    )
    charged = billing_variables(
        call.billing,
        carrier_sid=call.carrier_sid,
        account_sid=call.account_sid,
        destination=call.routing.destination,
    )
    return replace(noun.applied_to(leg), uuid=channel_of(call.sid), variables={**leg.variables, **charged})


async def _abandon(session: Session, preparation: asyncio.Task[Children]) -> None:
    try:
        children = await preparation
    except (PlatformRefused, PlatformUnavailable):
        return  # none was made
    for leg in children.legs:
        session.services.call_data_records.note_unreached(leg.call_sid, *_CANCELED)
