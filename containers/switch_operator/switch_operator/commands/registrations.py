"""`registrations`: where a client is reached, and how a call for it would be sent."""

import argparse
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from switch_operator.context import Context
from switch_operator.deployment import Place
from switch_operator.errors import OperatorError
from switch_operator.output import counted
from switch_operator.services_function import invoke
from switch_operator.times import ago, moment

_DESTINATION: Final = "1234"


def add_to(commands: Any, common: argparse.ArgumentParser) -> None:
    """Describe the command."""
    command = commands.add_parser(
        "registrations", parents=[common], help="a client's contacts, and the dial string that is built for it"
    )
    command.add_argument("username", metavar="USERNAME")
    command.add_argument(
        "--destination", default=_DESTINATION, metavar="NUMBER", help=f"the number to be called ({_DESTINATION})"
    )
    command.set_defaults(run=_run)


def _run(context: Context, given: argparse.Namespace) -> int:
    now = context.clock()
    contacts = context.registrations.contacts(given.username)
    current = [contact for contact in contacts if contact.is_current(now)]
    answer, refusal = _dial_string(context, given.username, given.destination)
    context.output.document(
        {
            "username": given.username,
            "contacts": [
                {
                    "contact": each.contact,
                    "received": each.received,
                    "socket": each.socket,
                    "gateway": each.gateway,
                    "user_agent": each.user_agent,
                    "last_modified": each.last_modified,
                    "expires": each.expires or None,
                    "expired": not each.is_current(now),
                }
                for each in contacts
            ],
            "dial_string": answer,
            "dial_string_error": refusal,
        }
    )
    context.output.table(
        ["contact", "received", "gateway's socket", "gateway", "user agent", "refreshed", "state"],
        [
            (
                each.contact,
                each.received,
                each.socket,
                each.gateway,
                each.user_agent,
                ago(now - each.last_modified),
                _state(each.expires, now),
            )
            for each in contacts
        ],
        ["" if each.is_current(now) else "dim" for each in contacts],
    )
    context.output.line(f"{counted(len(current), 'current contact')}, {len(contacts) - len(current)} expired")
    if refusal is not None:
        context.output.line(f"the dial string is not known: {refusal}", style="yellow")
        return 1
    if answer is None or answer.get("destination_address") is None:
        context.output.line("it is not registered: the services function builds no dial string")
        return 1
    context.output.line(f"a call goes to {answer['destination_address']} through {answer['proxy_address']}")
    return 0


def _state(expires: int | None, now: float) -> str:
    if not expires:
        return "does not expire"
    return f"until {moment(expires)}" if expires > now else f"expired {ago(now - expires)}"


def _dial_string(context: Context, username: str, destination: str) -> tuple[Any, str | None]:
    """Have the function build it; or say why it could not: contacts are worth seeing without it."""
    parameters = {"client_identifier": username, "destination": destination}
    event = {"serviceAction": "BuildClientGatewayDialString", "parameters": parameters}
    try:
        arn = context.deployment.name(Place.SERVICES_FUNCTION)
        return invoke(context.clients.functions, arn, event), None
    except (OperatorError, ClientError, BotoCoreError) as error:
        return None, str(error)
