"""`<Gather>`: let the caller press keys."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from switch_app.call import Call, Prompt
from switch_app.session import Goto, Outcome, Session
from switch_app.twiml.element import Element
from switch_app.verbs.pause import Pause
from switch_app.verbs.play import Play
from switch_app.verbs.say import Say

logger = logging.getLogger(__name__)

_TIMEOUT_MAXIMUM: Final = 60 * 60
_DIGITS_MAXIMUM: Final = 1000

_PROMPTS: Final[Mapping[str, Callable[[Element], Say | Play | Pause]]] = {
    "Say": Say.parse,
    "Play": Play.parse,
    "Pause": Pause.parse,
}


@dataclass(frozen=True, slots=True)
class Gather:
    """Collect keys, and go on with the document at `action`; without keys, with the next verb.

    Attributes:
        action: absolute or relative URL; empty for the current document.
        method: `GET` or `POST`.
        timeout: seconds until the first key, and between keys.
        finish_keys: the keys that end it and are none of the result; empty for none.
        number_of_digits: how many keys end it; None for any number.
        action_on_empty_result: whether `action` is asked without keys too.
        barge_in: whether a key ends the prompts.
        prompts: what the caller hears meanwhile.

    """

    action: str
    method: str
    timeout: int
    finish_keys: str
    number_of_digits: int | None
    action_on_empty_result: bool
    barge_in: bool
    prompts: Sequence[Say | Play | Pause]

    @classmethod
    def parse(cls, element: Element) -> "Gather":
        """Read it. Speech is not recognised here: a Gather for speech takes keys, and is logged.

        Raises:
            TwimlError: when there is another element in it than a prompt, or a prompt is wrong.

        """
        element.warn_of_unknown(
            "action", "method", "timeout", "finishOnKey", "numDigits", "actionOnEmptyResult", "bargeIn", "input"
        )
        if "speech" in element.value("input").lower().split():
            logger.warning("speech is not recognised; keys are", extra={"verb": "Gather", "twiml_line": element.line})
        return cls(
            action=element.value("action"),
            method=element.method(),
            timeout=element.integer("timeout", 5, 0, _TIMEOUT_MAXIMUM),
            finish_keys=element.keys("finishOnKey", "#"),
            number_of_digits=element.integer("numDigits", 0, 0, _DIGITS_MAXIMUM) or None,
            action_on_empty_result=element.flag("actionOnEmptyResult", default=False),
            barge_in=element.flag("bargeIn", default=True),
            prompts=_read_prompts(element),
        )

    async def run(self, session: Session) -> Outcome:
        """Answer, let the caller hear the prompts and press keys, and tell where to go on.

        Keys from before are forgotten: they were an answer to something else.
        """
        call = session.call
        await session.answer()
        prompts = [prompt for verb in self.prompts for prompt in await verb.prompts(session)]
        call.discard_digits()
        key = await self._prompt(call, prompts)
        digits = ""
        while key is not None and key not in self.finish_keys:
            digits += key
            if len(digits) == (self.number_of_digits or _DIGITS_MAXIMUM):
                key = None
                break
            key = await call.next_digit(self.timeout)
        if not digits and not self.action_on_empty_result:
            return None
        parameters = [("Digits", digits)] if digits else []
        if key is not None:
            parameters.append(("FinishedOnKey", key))
        return Goto(self.action, self.method, parameters)

    async def _prompt(self, call: Call, prompts: Sequence[Prompt]) -> str | None:
        """Let the caller hear the prompts, and return the first key."""
        if not prompts or not self.barge_in:
            if prompts:
                await call.play(prompts)
            return await call.next_digit(self.timeout)
        first = asyncio.ensure_future(call.next_digit(None))
        await _play_until(call, prompts, first)
        if not first.cancelled():
            return first.result()
        return await call.next_digit(self.timeout)


async def _play_until(call: Call, prompts: Sequence[Prompt], key: asyncio.Task[str | None]) -> None:
    """Let the caller hear prompts until a key is pressed; the wait for the key is over when this is left.

    It is the wait and not the playing that has a task of its own: a task that was told to end before it began would
    begin all the same, and the caller would hear a prompt after an update.
    """
    loop = asyncio.get_running_loop()
    is_playing = True
    try:
        async with asyncio.timeout(None) as playing:

            def stop(_: object) -> None:
                if is_playing:
                    playing.reschedule(loop.time())

            key.add_done_callback(stop)
            await call.play(prompts)
    except TimeoutError:
        if not playing.expired():
            raise
    finally:
        is_playing = False
        key.cancel()
        await asyncio.gather(key, return_exceptions=True)


def _read_prompts(element: Element) -> Sequence[Say | Play | Pause]:
    element.require_no_children(*_PROMPTS)
    for child in element.children:
        if child.value("digits"):
            raise child.attribute_error("digits", "is not allowed within <Gather>")
    return tuple(_PROMPTS[child.name](child) for child in element.children)
