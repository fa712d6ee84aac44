"""Which contacts SIP clients have registered at the gateways: read by who calls them, written by the gateways."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from routing.attribute_values import decode, encode
from routing.records import Registration
from routing.retry import Backoff, default_backoff
from routing.tables import Table, TableNames

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_BATCH_WRITE_MAXIMUM = 25


def contact_id(gateway: str, username: str, contact: str) -> str:
    """Return our own identifier of a contact: a digest of who holds it, whose it is, and its URI.

    OpenSIPS's is of no use: it is not the same after the contact was restored.
    """
    parts = "\0".join((gateway, username, contact))
    return hashlib.sha256(parts.encode()).hexdigest()[:32]


class RegistrationReader:
    """Reads the registrations table.

    Args:
        client: a low-level DynamoDB client.
        names: DynamoDB's names of the tables.

    """

    def __init__(self, client: "DynamoDBClient", names: TableNames) -> None:
        self._client = client
        self._names = names

    def contacts(self, username: str) -> list[Registration]:
        """Return every contact of `username` that is stored, newest first: DynamoDB removes expired ones days late."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._names[Table.REGISTRATIONS],
            ConsistentRead=True,
            KeyConditionExpression="username = :username",
            ExpressionAttributeValues=encode({":username": username}),
        )
        contacts = [Registration.from_item(decode(item)) for page in pages for item in page["Items"]]
        return sorted(contacts, key=lambda contact: (contact.last_modified, contact.contact_id), reverse=True)

    def current_contacts(self, username: str, now: float) -> list[Registration]:
        """Return the contacts of `username` that have not expired at `now` (epoch seconds), newest first."""
        return [contact for contact in self.contacts(username) if contact.is_current(now)]

    def contacts_of_gateway(self, gateway: str, now: float) -> Iterator[Registration]:
        """Yield the current contacts that one gateway holds, page by page of a whole scan."""
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._names[Table.REGISTRATIONS],
            ConsistentRead=True,
            FilterExpression="gateway = :gateway",
            ExpressionAttributeValues=encode({":gateway": gateway}),
        )
        for page in pages:
            for item in page["Items"]:
                contact = Registration.from_item(decode(item))
                if contact.is_current(now):
                    yield contact


class RegistrationWriter:
    """Writes what a gateway knows of its contacts.

    Args:
        client: a low-level DynamoDB client.
        names: DynamoDB's names of the tables.
        backoff: makes the waits before sending again what DynamoDB left unprocessed.

    """

    def __init__(
        self, client: "DynamoDBClient", names: TableNames, *, backoff: Callable[[], Backoff] = default_backoff
    ) -> None:
        self._client = client
        self._names = names
        self._backoff = backoff

    def write(self, contacts: Mapping[tuple[str, str], Registration | None]) -> None:
        """Put or remove contacts, by user name and contact id; None removes. Doing it again does no harm.

        Raises:
            TimeoutError: when DynamoDB keeps leaving some unprocessed; the rest is written.

        """
        requests = [_write_request(key, contact) for key, contact in contacts.items()]
        name = self._names[Table.REGISTRATIONS]
        for start in range(0, len(requests), _BATCH_WRITE_MAXIMUM):
            backoff = self._backoff()
            left: Any = {name: requests[start : start + _BATCH_WRITE_MAXIMUM]}
            while left := self._client.batch_write_item(RequestItems=left).get("UnprocessedItems"):
                if not backoff.wait():
                    raise TimeoutError(f"DynamoDB keeps leaving writes to {name} unprocessed")


def _write_request(key: tuple[str, str], contact: Registration | None) -> dict[str, Any]:
    if contact is not None:
        return {"PutRequest": {"Item": encode(contact.to_item())}}
    return {"DeleteRequest": {"Key": encode({"username": key[0], "contact_id": key[1]})}}
