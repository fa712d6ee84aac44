"""The routing tables: what the SIP gateways must know, and the one place that knows how DynamoDB holds it.

Writers (the services function) hand `RoutingRepository.write` a list of changes from `routing.changes`; readers (the
gateways' scheduler) follow the tables with `RoutingReader`. `docs/routing-tables.md` describes schema and guarantees.
"""

from routing.changes import Change, Stored, is_tombstone
from routing.errors import InvalidRecord, PositionTooOld, RoutingError, WriteConflict
from routing.message_changes import (
    DeleteAddress,
    DeleteSubscriber,
    PutAddress,
    PutSubscriber,
    SetAddressGroup,
)
from routing.reader import ChangeSet, RoutingReader, Snapshot
from routing.records import (
    Address,
    Domain,
    LoadBalancerTarget,
    MediaProxy,
    Record,
    Registration,
    Subscriber,
    TaskStamp,
    task_stamp,
)
from routing.registrations import RegistrationReader, RegistrationWriter, contact_id
from routing.repository import RoutingRepository, WriteResult
from routing.tables import JOURNALED_TABLES, Table, TableNames
from routing.task_changes import AddPermanentDomain, PutTaskRow, RemoveTaskRow

__all__ = [
    "JOURNALED_TABLES",
    "AddPermanentDomain",
    "Address",
    "Change",
    "ChangeSet",
    "DeleteAddress",
    "DeleteSubscriber",
    "Domain",
    "InvalidRecord",
    "LoadBalancerTarget",
    "MediaProxy",
    "PositionTooOld",
    "PutAddress",
    "PutSubscriber",
    "PutTaskRow",
    "Record",
    "Registration",
    "RegistrationReader",
    "RegistrationWriter",
    "RemoveTaskRow",
    "RoutingError",
    "RoutingReader",
    "RoutingRepository",
    "SetAddressGroup",
    "Snapshot",
    "Stored",
    "Subscriber",
    "Table",
    "TableNames",
    "TaskStamp",
    "WriteConflict",
    "WriteResult",
    "contact_id",
    "is_tombstone",
    "task_stamp",
]
