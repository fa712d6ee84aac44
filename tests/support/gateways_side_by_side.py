"""The same gateway on SQLite, as it is deployed, and on PostgreSQL, side by side with the same rows."""

import os
import platform
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from opensips_scheduler import schema
from tests.support import opensips, postgresql, sipp
from tests.support.cpu_time import cpu_seconds
from tests.support.gateway_on_postgresql import GatewayOnPostgreSql, create_tables
from tests.support.loopback import LoopbackNetwork
from tests.support.opensips import Gateway
from tests.support.postgresql import PostgreSql

SQLITE = "SQLite"
POSTGRESQL = "PostgreSQL"
"""With PostgreSQL's own defaults: a commit waits for the disk."""
POSTGRESQL_NO_WAIT = "the same, no wait"
"""With `synchronous_commit` off: a commit is lost in a power failure, and only then; so it is with our SQLite."""

_DATABASES = {POSTGRESQL: "gateway", POSTGRESQL_NO_WAIT: "gateway_no_wait"}

Rows = Mapping[str, tuple[Sequence[str], Sequence[Sequence[object]]]]
"""Columns and rows by table."""


@dataclass(frozen=True)
class Contender:
    """One of the gateways.

    Attributes:
        name: what it is, for people.
        gateway: OpenSIPS.
        server: the PostgreSQL that it uses.

    """

    name: str
    gateway: Gateway
    server: PostgreSql | None

    def cpu_seconds(self) -> tuple[float, float]:
        """Return the seconds that OpenSIPS has used, and those of the database's server."""
        process = self.gateway.process
        assert process is not None
        return cpu_seconds(process.pid), cpu_seconds(self.server.pid) if self.server is not None else 0.0


def missing() -> str | None:
    """Return what has to be installed for this, None when all is there."""
    if opensips.BINARY is None:
        return opensips.MISSING
    modules = os.environ.get("OPENSIPS_MODULES") or f"/usr/lib/{platform.machine()}-linux-gnu/opensips/modules/"
    if not Path(modules, "db_postgres.so").exists():
        return f"OpenSIPS's module db_postgres is not at {modules} (Debian: apt install opensips-postgres-module)"
    if sipp.BINARY is None:
        return sipp.MISSING
    return postgresql.MISSING if postgresql.PROGRAMS is None else None


@contextmanager
def side_by_side(
    kind: str, network: LoopbackNetwork, rows: Rows, settings: Mapping[str, str], names: Sequence[str]
) -> Iterator[list[Contender]]:
    """Run the gateways of some names, each with all the rows from the start on."""
    with ExitStack() as stack:
        server = stack.enter_context(PostgreSql())
        contenders = []
        for name in names:
            directory = Path(tempfile.mkdtemp(prefix="gateway-"))
            stack.callback(shutil.rmtree, directory)
            schema.create_routing_database(directory / "routing.db")
            schema.create_gateway_database(directory / "gateway.db")
            if name == SQLITE:
                _fill_sqlite(directory / "routing.db", rows)
                gateway = Gateway(kind, directory, network.address(), settings)
                contenders.append(Contender(name, gateway, None))
            else:
                database = _DATABASES[name]
                create_tables(server, database, directory)
                if name == POSTGRESQL_NO_WAIT:
                    server.execute(f"ALTER DATABASE {database} SET synchronous_commit = off")
                for table, (columns, listed) in rows.items():
                    server.load(database, table, columns, listed)
                server.execute("ANALYZE", database)
                gateway = GatewayOnPostgreSql(kind, directory, network.address(), server.url(database), settings)
                contenders.append(Contender(name, gateway, server))
            stack.enter_context(gateway)
        yield contenders


def _fill_sqlite(path: Path, rows: Rows) -> None:
    connection = sqlite3.connect(path)
    try:
        with connection:
            for table, (columns, listed) in rows.items():
                marks = ", ".join("?" * len(columns))
                connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", listed)  # noqa: S608
    finally:
        connection.close()
