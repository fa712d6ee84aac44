"""Which contacts a SIP client has registered at the gateways."""

from typing import TYPE_CHECKING

from routing.attribute_values import decode, encode
from routing.records import Registration
from routing.tables import Table, TableNames

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class RegistrationReader:
    """Reads the registrations table.

    Args:
        client: a low-level DynamoDB client.
        names: DynamoDB's names of the tables.

    """

    def __init__(self, client: "DynamoDBClient", names: TableNames) -> None:
        self._client = client
        self._names = names

    def current_contacts(self, username: str, now: float) -> list[Registration]:
        """Return the contacts of `username` that have not expired at `now` (epoch seconds), newest first.

        DynamoDB removes an expired item days late, so the time is compared here.
        """
        pages = self._client.get_paginator("query").paginate(
            TableName=self._names[Table.REGISTRATIONS],
            ConsistentRead=True,
            KeyConditionExpression="username = :username",
            ExpressionAttributeValues=encode({":username": username}),
        )
        contacts = [Registration.from_item(decode(item)) for page in pages for item in page["Items"]]
        current = [contact for contact in contacts if contact.is_current(now)]
        return sorted(current, key=lambda contact: (contact.last_modified, contact.contact_id), reverse=True)
