"""What becomes of each call: which documents it runs, what is told of it, and when it is over."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

from switch_app.call import Call
from switch_app.call_data_records.document import LostCall
from switch_app.call_properties import CallProperties
from switch_app.calls.call_register import CallRegister
from switch_app.calls.incoming import Incoming
from switch_app.calls.live_calls import LiveCall, LiveCalls
from switch_app.errors import CallEnded, SwitchAppError
from switch_app.interpreter import Interpreter
from switch_app.services import CallDataRecords, Services
from switch_app.session import Session
from switch_app.telephony import CallEvent, CallEventKind

logger = logging.getLogger(__name__)

_COMPLETION_SECONDS: Final = 10.0
"""A media server that lives tells of an end within this."""


class Calls:
    """Handles every call of this switch; a mistake in one of them ends that one alone.

    Args:
        live_calls: the calls there are.
        incoming: what takes calls in.
        register: where the platform is told what happens to them.
        records: where a call is noted that died with the media server.
        services_for: makes what one call's documents have at hand.
        completion_seconds: how long the end of a call may go untold.
        clock: seconds since the epoch.

    """

    def __init__(
        self,
        live_calls: LiveCalls,
        incoming: Incoming,
        register: CallRegister,
        records: CallDataRecords,
        services_for: Callable[[CallProperties], Services],
        completion_seconds: float = _COMPLETION_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._live_calls = live_calls
        self._incoming = incoming
        self._register = register
        self._records = records
        self._services_for = services_for
        self._completion_seconds, self._clock = completion_seconds, clock

    # --- what the media server tells

    async def handle(self, call: Call) -> None:
        """Run a call to its end. It never raises for what goes wrong in it."""
        live = self._live_calls.get(call.uuid)
        if live is None:
            if call.variables.get("direction") == "outbound":
                # Originated by an app that is no more; nobody knows what it was to do.
                logger.error("call ended: nobody here made it", extra={"call_uuid": call.uuid})
                return
            live = LiveCall(call.uuid)
            self._live_calls.add(live)
        else:
            live.is_answered = True
        live.is_running = True
        try:
            await self._run(call, live)
        except CallEnded as ended:
            logger.info("call ended early", extra=_keys(live) | {"cause": ended.cause})
        except SwitchAppError as error:
            logger.warning("call cannot go on", extra=_keys(live) | {"reason": str(error)})
        except Exception:  # one call's mistake must not end the others
            logger.exception("call failed", extra=_keys(live))
        finally:
            live.is_running = False
            self._tell_held(live)
            self._close(live)

    def note(self, event: CallEvent) -> None:
        """Tell the platform what happened to a call that it knows."""
        live = self._live_calls.get(event.uuid)
        if live is None:
            logger.debug("event of no call here", extra={"call_uuid": event.uuid, "event": event.kind})
            return
        if live.is_completed:
            return
        if event.kind == CallEventKind.ANSWERED:
            live.is_answered = True
            live.answered = float(event.variables.get("answer_epoch") or self._clock())
        if event.is_lost:
            self._note_lost(live)
        live.is_completed = event.kind == CallEventKind.COMPLETED
        live.events.append(event)
        self._tell_held(live)
        if live.is_completed:
            self._close(live)

    def give_up(self, live: LiveCall) -> None:
        """Have a call be over of which the media server tells nothing."""
        self._complete(live)

    # --- within

    async def _run(self, call: Call, live: LiveCall) -> None:
        if live.properties is None and await self._incoming.take(call, live) is None:
            return
        properties = live.first_plan()
        interpreter = Interpreter(Session(call, properties, self._services_for(properties)))
        live.run_by(interpreter)
        await interpreter.run()

    def _note_lost(self, live: LiveCall) -> None:
        """Have the record written that the media server did not live to write; nothing else would end the call soon."""
        if live.properties is None:
            return
        logger.error("call is lost with the media server", extra=_keys(live))
        answered = None if live.answered is None else int(live.answered)
        direction = live.properties.call_direction
        self._records.note_lost(LostCall(live.uuid, live.properties.sid, direction, int(live.began), answered))

    def _tell_held(self, live: LiveCall) -> None:
        """Tell what is not told yet, if the platform knows the call."""
        if live.properties is not None:
            for event in live.events:
                self._register.note_call_event(event)
            live.events.clear()

    def _close(self, live: LiveCall) -> None:
        """Forget a call of which everything is over; look again later at one whose end was not told."""
        if live.is_running:
            return
        if live.is_completed:
            self._live_calls.remove(live)
        else:
            asyncio.get_running_loop().call_later(self._completion_seconds, self._complete, live)

    def _complete(self, live: LiveCall) -> None:
        """Tell of an end that the media server did not tell of: it ended itself, perhaps."""
        if not live.is_completed and live.properties is not None:
            logger.warning("end of a call was not told by the media server", extra=_keys(live))
            self._register.note_call_event(CallEvent(CallEventKind.COMPLETED, live.uuid, {}))
        live.is_completed = True
        self._live_calls.remove(live)


def _keys(live: LiveCall) -> dict[str, str | None]:
    return {"call_sid": live.sid, "call_uuid": live.uuid}
