"""The tables: what each is called in the journal, what its key is, and which environment variable names it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from routing.errors import MissingSetting


class Table(Enum):
    """A routing table. The value is the name that the change journal uses, the same in every deployment."""

    LOAD_BALANCER_TARGETS = "load_balancer_targets"
    ADDRESSES = "addresses"
    SUBSCRIBERS = "subscribers"
    DOMAINS = "domains"
    MEDIA_PROXIES = "media_proxies"
    REGISTRATIONS = "registrations"
    ROUTING_CHANGES = "routing_changes"

    @property
    def key(self) -> str:
        """Name of the attribute that is the table's partition key."""
        return _KEYS[self]

    @property
    def environment_variable(self) -> str:
        """Name of the environment variable that holds the DynamoDB table's name."""
        return f"{self.name}_TABLE"


_KEYS = {
    Table.LOAD_BALANCER_TARGETS: "dst_uri",
    Table.ADDRESSES: "source_ip",
    Table.SUBSCRIBERS: "username",
    Table.DOMAINS: "domain",
    Table.MEDIA_PROXIES: "socket",
    Table.REGISTRATIONS: "username",
    Table.ROUTING_CHANGES: "table",
}

JOURNALED_TABLES = (
    Table.LOAD_BALANCER_TARGETS,
    Table.ADDRESSES,
    Table.SUBSCRIBERS,
    Table.DOMAINS,
    Table.MEDIA_PROXIES,
)
"""The tables whose every write is recorded in the change journal."""


@dataclass(frozen=True, slots=True)
class TableNames:
    """DynamoDB's names of the tables that one process uses."""

    names: tuple[tuple[Table, str], ...]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], tables: tuple[Table, ...] = tuple(Table)) -> "TableNames":
        """Read the names of `tables` from their environment variables.

        Raises:
            MissingSetting: naming the variable that is missing or empty.

        """
        for table in tables:
            if not environment.get(table.environment_variable):
                raise MissingSetting(
                    f"environment variable {table.environment_variable} is not set; "
                    f"it names the DynamoDB table of {table.value}"
                )
        return cls(tuple((table, environment[table.environment_variable]) for table in tables))

    def __getitem__(self, table: Table) -> str:
        for candidate, name in self.names:
            if candidate is table:
                return name
        raise MissingSetting(f"the name of table {table.value} was not configured for this process")
