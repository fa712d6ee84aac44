"""`subscribers`: SIP clients that may register and call with a password. No digest is ever shown."""

import argparse
from typing import Any

from routing import DeleteSubscriber, PutSubscriber, Table
from switch_operator.context import Context
from switch_operator.credentials import subscriber
from switch_operator.errors import NotDone
from switch_operator.output import counted


def add_to(commands: Any, common: argparse.ArgumentParser) -> None:
    """Describe the command."""
    group = commands.add_parser("subscribers", help="list, add and remove clients that have a password")
    actions = group.add_subparsers(title="actions", required=True, metavar="ACTION")
    listed = actions.add_parser("list", parents=[common], help="every user name")
    listed.set_defaults(run=_list)
    added = actions.add_parser(
        "add",
        parents=[common],
        help="give a client a password, or another one",
        description="The password is asked for at a terminal, else it is the first line of standard input. The table "
        "gets its digests.",
    )
    added.add_argument("username", metavar="USERNAME")
    added.add_argument(
        "--realm",
        default="somleng.org",
        help="SIP_REALM of the client gateways (somleng.org): what digests are made for",
    )
    added.add_argument("--yes", action="store_true", help="do it without asking")
    added.set_defaults(run=_add)
    removed = actions.add_parser("remove", parents=[common], help="take a client's password away")
    removed.add_argument("username", metavar="USERNAME")
    removed.add_argument("--yes", action="store_true", help="do it without asking")
    removed.set_defaults(run=_remove)


def _list(context: Context, _: argparse.Namespace) -> int:
    usernames = context.reader.keys(Table.SUBSCRIBERS)
    context.output.document({"subscribers": usernames})
    context.output.table(["user name"], [[username] for username in usernames])
    context.output.line(counted(len(usernames), "subscriber"))
    return 0


def _add(context: Context, given: argparse.Namespace) -> int:
    wanted = subscriber(given.username, given.realm, context.terminal.password(given.username))
    before = context.repository.stored(Table.SUBSCRIBERS, wanted.key)
    same, new = before.row == wanted.to_item(), before.row is None
    what = "Add" if new else "Note once more" if same else "Replace the password of"
    context.terminal.confirm(f"{what} subscriber {wanted.username}.", yes=given.yes)
    context.repository.write([PutSubscriber(wanted, context.server_time.milliseconds())])
    if context.repository.stored(Table.SUBSCRIBERS, wanted.key).row != wanted.to_item():
        raise NotDone(f"{wanted.username}: a job of the platform that was sent later decided otherwise")
    context.output.document({"username": wanted.username, "changed": not same, "new": new})
    if same:
        said = (
            "nothing changed: it has this password already; noted as of now, so that an older job does not take it away"
        )
    else:
        said = "added" if new else "has another password now; contacts that it registered stay until they expire"
    context.output.line(f"{wanted.username}: {said}")
    return 0


def _remove(context: Context, given: argparse.Namespace) -> int:
    change = DeleteSubscriber(given.username, 0)  # checks the name; the time comes when it is done
    if context.repository.stored(Table.SUBSCRIBERS, change.key).row is None:
        raise NotDone(f"there is no subscriber {change.username!r}; nothing was changed")
    context.terminal.confirm(f"Take the password of {change.username} away: it cannot register or call.", yes=given.yes)
    context.repository.write([DeleteSubscriber(change.username, context.server_time.milliseconds())])
    if context.repository.stored(Table.SUBSCRIBERS, change.key).row is not None:
        raise NotDone(f"{change.username}: a job of the platform that was sent later has it again")
    context.output.document({"username": change.username, "changed": True})
    context.output.line(
        f"{change.username}: removed; it is called at the contacts that it registered until they expire"
    )
    return 0
