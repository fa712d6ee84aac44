"""`dead-letters`: the platform's jobs that failed again and again; listed, sent again, discarded."""

import argparse
from collections.abc import Sequence
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from switch_operator import dead_letters
from switch_operator.context import Context
from switch_operator.dead_letters import DeadLetter, Effect
from switch_operator.deployment import Place
from switch_operator.errors import NotDone, OperatorError, WrongUse
from switch_operator.function_log import FunctionLog
from switch_operator.output import counted
from switch_operator.queue_messages import MessageQueue
from switch_operator.times import moment

_REFUSED: Final = (Effect.PAST, Effect.MALFORMED)


def add_to(commands: Any, common: argparse.ArgumentParser) -> None:
    """Describe the command."""
    group = commands.add_parser("dead-letters", help="jobs that failed again and again: list, send again, discard")
    actions = group.add_subparsers(title="actions", required=True, metavar="ACTION")
    listed = actions.add_parser("list", parents=[common], help="each with its reason, and what it would do now")
    listed.set_defaults(run=_list)
    again = actions.add_parser(
        "redrive", parents=[common], help="send jobs again, with the time at which they were sent"
    )
    _add_choice(again)
    again.add_argument(
        "--force", action="store_true", help="also what is of the past, to count as sent now; only for named messages"
    )
    again.set_defaults(run=_redrive)
    gone = actions.add_parser("discard", parents=[common], help="remove jobs for good")
    _add_choice(gone)
    gone.set_defaults(run=_discard)


def _add_choice(to: argparse.ArgumentParser) -> None:
    to.add_argument("message_ids", nargs="*", metavar="MESSAGE_ID", help="as 'list' shows them")
    to.add_argument("--all", action="store_true", help="every one")
    to.add_argument("--yes", action="store_true", help="do it without asking")


def _list(context: Context, _: argparse.Namespace) -> int:
    queue, now = _queue(context), context.clock()
    with queue.looked_through() as messages:
        letters = [dead_letters.read(message) for message in messages]
        effects = [dead_letters.effect(letter, context.repository, now) for letter in letters]
    hidden = queue.counts().hidden
    reasons, unknown = _reasons(context, letters)
    context.output.document(
        {
            "dead_letters": [
                {
                    **_described(letter),
                    "reason": reasons.get(letter.message.message_id, letter.problem),
                    "effect": effect.name.lower(),
                }
                for letter, effect in zip(letters, effects, strict=True)
            ],
            "hidden": hidden,
            "reasons_unknown": unknown,
        }
    )
    context.output.table(
        ["message", "job", "key", "sent", "receives", "why it failed", "now"],
        [
            (
                letter.message.message_id,
                letter.job_class,
                letter.key,
                moment(letter.sent / 1000),
                letter.message.receives,
                reasons.get(letter.message.message_id, letter.problem),
                effect.value,
            )
            for letter, effect in zip(letters, effects, strict=True)
        ],
    )
    context.output.line(
        counted(len(letters), "dead letter") + (f", {hidden} more that somebody looks at" if hidden else "")
    )
    if unknown:
        context.output.line(f"why they failed is not known: {unknown}", style="yellow")
    return 0


def _described(letter: DeadLetter) -> dict[str, Any]:
    return {
        "message_id": letter.message.message_id,
        "job_class": letter.job_class,
        "key": letter.key,
        "sent": letter.sent,
        "receives": letter.message.receives,
    }


def _reasons(context: Context, letters: Sequence[DeadLetter]) -> tuple[dict[str, str], str | None]:
    """Return why each failed, by message id, as the function logged it; or why the log cannot be read."""
    if not letters:
        return {}, None
    since = min(int(letter.message.sent_timestamp) for letter in letters) / 1000
    try:
        arn = context.deployment.name(Place.SERVICES_FUNCTION)
        log = FunctionLog(context.clients.logs, context.clients.functions, arn)
        lines = log.lines("message failed", since)
    except (OperatorError, ClientError, BotoCoreError) as error:
        return {}, str(error)
    return {str(line.keys.get("message_id")): str(line.keys.get("reason")) for line in lines}, None


def _redrive(context: Context, given: argparse.Namespace) -> int:
    if given.force and given.all:
        raise WrongUse("--force is for named messages: each is to be looked at first; leave --all away")
    queue = _queue(context)
    target = MessageQueue(context.clients.sqs, context.deployment.name(Place.QUEUE))
    now = context.clock()
    with queue.looked_through() as messages:
        letters = _chosen([dead_letters.read(message) for message in messages], given)
        plan = [(letter, *_fate(letter, context, given, letters, now)) for letter in letters]
        sending = sum(send for _, send, _ in plan)
        if sending:
            context.terminal.confirm(f"Send {sending} of {counted(len(plan), 'job')} again.", yes=given.yes)
        fates = []
        for letter, send, why in plan:
            fates.append((letter, *(_send(letter, queue, target, why, given) if send else ("kept", why))))
    return _report(context, fates)


def _send(
    letter: DeadLetter, queue: MessageQueue, target: MessageQueue, why: str, given: argparse.Namespace
) -> tuple[str, str]:
    """Send a job again, then remove its letter: broken off in between, it is there twice, which changes nothing."""
    try:
        sent = dead_letters.send_again(letter, target, as_new=given.force)
    except (ClientError, BotoCoreError) as error:
        return "kept", f"it could not be sent: {error}"
    try:
        queue.remove(letter.message)
    except (ClientError, BotoCoreError) as error:
        return "kept", f"sent again as message {sent}, but not removed here: {error}; discard it"
    return "sent again", f"{why}; now message {sent}"


def _fate(
    letter: DeadLetter, context: Context, given: argparse.Namespace, letters: Sequence[DeadLetter], now: float
) -> tuple[bool, str]:
    found = dead_letters.effect(letter, context.repository, now)
    if found is Effect.MALFORMED:
        return False, f"{found.value}: {letter.problem}; discard it"
    if given.force:
        later = [other for other in letters if other.key == letter.key and other.sent > letter.sent and other.job]
        if later:
            return False, "a later letter of the same key is sent"
        return True, f"{found.value}; it counts as sent now"
    if found in _REFUSED:
        return False, f"{found.value}; discard it, or give --force if it is meant all the same"
    return True, found.value


def _discard(context: Context, given: argparse.Namespace) -> int:
    queue = _queue(context)
    with queue.looked_through() as messages:
        letters = _chosen([dead_letters.read(message) for message in messages], given)
        if letters:
            context.terminal.confirm(f"Remove {counted(len(letters), 'job')} for good.", yes=given.yes)
        fates = [(letter, *_remove(letter, queue)) for letter in letters]
    return _report(context, fates)


def _remove(letter: DeadLetter, queue: MessageQueue) -> tuple[str, str]:
    try:
        queue.remove(letter.message)
    except (ClientError, BotoCoreError) as error:
        return "kept", f"it could not be removed: {error}"
    return "discarded", ""


def _chosen(letters: list[DeadLetter], given: argparse.Namespace) -> list[DeadLetter]:
    """Return the letters that are meant.

    Raises:
        WrongUse: when none is named, or both all and some are.
        NotDone: naming those that are not there.

    """
    if bool(given.message_ids) == given.all:
        raise WrongUse("name messages, or give --all; 'dead-letters list' shows them")
    if given.all:
        return letters
    by_id = {letter.message.message_id: letter for letter in letters}
    missing = [message_id for message_id in given.message_ids if message_id not in by_id]
    if missing:
        raise NotDone(
            f"no dead letter {', '.join(missing)} is there; somebody else may look at it now; nothing was done"
        )
    return [by_id[message_id] for message_id in dict.fromkeys(given.message_ids)]


def _report(context: Context, fates: Sequence[tuple[DeadLetter, str, str]]) -> int:
    context.output.document(
        {"dead_letters": [{**_described(letter), "fate": fate, "why": why} for letter, fate, why in fates]}
    )
    context.output.table(
        ["message", "job", "key", "fate", ""],
        [(letter.message.message_id, letter.job_class, letter.key, fate, why) for letter, fate, why in fates],
        ["yellow" if fate == "kept" else "" for _, fate, _ in fates],
    )
    kept = sum(fate == "kept" for _, fate, _ in fates)
    context.output.line(f"{len(fates) - kept} done, {kept} kept")
    return 1 if kept else 0


def _queue(context: Context) -> MessageQueue:
    return MessageQueue(context.clients.sqs, context.deployment.name(Place.DEAD_LETTERS))
