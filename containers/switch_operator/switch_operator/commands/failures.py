"""`failures`: events that a function failed on for good; listed, given to it again, discarded."""

import argparse
from collections.abc import Sequence
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from switch_operator import failures
from switch_operator.context import Context
from switch_operator.deployment import Place
from switch_operator.errors import FunctionFailed, NotDone, WrongUse
from switch_operator.failures import Failure
from switch_operator.output import counted
from switch_operator.queue_messages import MessageQueue
from switch_operator.services_function import hand_over, invoke
from switch_operator.times import moment

FUNCTIONS: Final = {
    "services": (Place.SERVICES_FAILURES, Place.SERVICES_FUNCTION),
    "s3-mpeg": (Place.S3_MPEG_FAILURES, Place.S3_MPEG_FUNCTION),
}


def add_to(commands: Any, common: argparse.ArgumentParser) -> None:
    """Describe the command."""
    group = commands.add_parser("failures", help="events that a function failed on: list, give it again, discard")
    actions = group.add_subparsers(title="actions", required=True, metavar="ACTION")
    for name, run, what in (
        ("list", _list, "each with its error"),
        ("redrive", _redrive, "give events to the function again"),
        ("discard", _discard, "remove events for good"),
    ):
        action = actions.add_parser(name, parents=[common], help=what)
        action.add_argument("function", choices=tuple(FUNCTIONS))
        if name != "list":
            action.add_argument("message_ids", nargs="*", metavar="MESSAGE_ID", help="as 'list' shows them")
            action.add_argument("--all", action="store_true", help="every one")
            action.add_argument("--yes", action="store_true", help="do it without asking")
        action.set_defaults(run=run)


def _list(context: Context, given: argparse.Namespace) -> int:
    queue = _queue(context, given)
    with queue.looked_through() as messages:
        found = [failures.read(message) for message in messages]
    context.output.document({"failures": [{**_described(each), "error": each.error} for each in found]})
    context.output.table(
        ["message", "event", "failed", "error"],
        [
            (
                each.message.message_id,
                each.what,
                moment(_came(each)),
                each.error,
            )
            for each in found
        ],
    )
    context.output.line(f"{counted(len(found), 'event')} that {given.function} failed on")
    return 0


def _redrive(context: Context, given: argparse.Namespace) -> int:
    queue = _queue(context, given)
    fates: list[tuple[Failure, str, str]] = []
    with queue.looked_through() as messages:
        chosen = _chosen([failures.read(message) for message in messages], given)
        if chosen:
            context.terminal.confirm(f"Give {counted(len(chosen), 'event')} to {given.function} again.", yes=given.yes)
        for failure in chosen:
            fate, why = _give(context, given.function, failure)
            # Given before it is removed: broken off in between, it is handled twice, which changes nothing.
            fates.append((failure, fate, why) if fate == "kept" else (failure, *_remove(queue, failure, fate, why)))
    return _report(context, fates)


def _give(context: Context, function: str, failure: Failure) -> tuple[str, str]:
    if failure.event is None:
        return "kept", "there is no event in it; discard it"
    arn = context.deployment.name(FUNCTIONS[function][1])
    try:
        if function == "s3-mpeg":  # it takes minutes
            hand_over(context.clients.functions, arn, failure.event)
            return "handed over", "it comes back here if it fails again"
        invoke(context.clients.functions, arn, failure.event)
    except FunctionFailed as error:
        return "kept", f"it failed again: {error}"
    except (ClientError, BotoCoreError) as error:
        return "kept", f"the function could not be invoked: {error}"
    return "done", ""


def _remove(queue: MessageQueue, failure: Failure, fate: str, why: str) -> tuple[str, str]:
    try:
        queue.remove(failure.message)
    except (ClientError, BotoCoreError) as error:
        return "kept", f"{fate}, but it could not be removed here: {error}; discard it"
    return fate, why


def _discard(context: Context, given: argparse.Namespace) -> int:
    queue = _queue(context, given)
    with queue.looked_through() as messages:
        chosen = _chosen([failures.read(message) for message in messages], given)
        if chosen:
            context.terminal.confirm(f"Remove {counted(len(chosen), 'event')} for good.", yes=given.yes)
        fates = [(failure, *_remove(queue, failure, "discarded", "")) for failure in chosen]
    return _report(context, fates)


def _chosen(found: list[Failure], given: argparse.Namespace) -> list[Failure]:
    if bool(given.message_ids) == given.all:
        raise WrongUse(f"name messages, or give --all; 'failures list {given.function}' shows them")
    if given.all:
        return found
    by_id = {failure.message.message_id: failure for failure in found}
    missing = [message_id for message_id in given.message_ids if message_id not in by_id]
    if missing:
        raise NotDone(f"no message {', '.join(missing)} is there; somebody else may look at it now; nothing was done")
    return [by_id[message_id] for message_id in dict.fromkeys(given.message_ids)]


def _report(context: Context, fates: Sequence[tuple[Failure, str, str]]) -> int:
    context.output.document({"failures": [{**_described(each), "fate": fate, "why": why} for each, fate, why in fates]})
    context.output.table(
        ["message", "event", "fate", ""],
        [(each.message.message_id, each.what, fate, why) for each, fate, why in fates],
        ["yellow" if fate == "kept" else "" for _, fate, _ in fates],
    )
    kept = sum(fate == "kept" for _, fate, _ in fates)
    context.output.line(f"{len(fates) - kept} done, {kept} kept")
    return 1 if kept else 0


def _described(failure: Failure) -> dict[str, Any]:
    return {"message_id": failure.message.message_id, "event": failure.what, "failed": round(_came(failure))}


def _came(failure: Failure) -> float:
    return int(failure.message.sent_timestamp) / 1000


def _queue(context: Context, given: argparse.Namespace) -> MessageQueue:
    return MessageQueue(context.clients.sqs, context.deployment.name(FUNCTIONS[given.function][0]))
