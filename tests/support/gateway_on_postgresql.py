"""A gateway whose database is PostgreSQL: what its own configuration, on SQLite, is compared with.

The entrypoint renders the configuration as ever; in what it has rendered, the database's module and URLs are replaced,
and nothing else. The tables are those of the scheduler's schema, with PostgreSQL's names for the types.
"""

import re
import shlex
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from tests.support import opensips
from tests.support.postgresql import PostgreSql

_TYPES = (
    (r"\b(contact_id|dlg_id) INTEGER PRIMARY KEY( AUTOINCREMENT)?", r"\1 BIGSERIAL PRIMARY KEY"),
    (r"\bINTEGER PRIMARY KEY\b", "SERIAL PRIMARY KEY"),
    (r"\bDATETIME\b", "TIMESTAMP"),
    (r"\bBLOB\b", "BYTEA"),
)
_MADE = """
    SELECT sql FROM sqlite_master
    WHERE type IN ('table', 'index') AND sql IS NOT NULL AND name NOT LIKE 'sqlite_%' AND tbl_name <> 'contact_change'
    ORDER BY type DESC
"""
_REPLACED = (
    r's/loadmodule "db_sqlite\.so"/loadmodule "db_postgres.so"/',
    r'/^modparam("db_sqlite"/d',
)


def create_tables(server: PostgreSql, database: str, directory: Path) -> None:
    """Make a database with a gateway's tables: those of the two SQLite files in a directory, without their rows.

    The triggers that note changed contacts are left out, with the table they write to: they are for the scheduler.
    """
    statements = []
    for name in ("routing.db", "gateway.db"):
        connection = sqlite3.connect(directory / name)
        for (made,) in connection.execute(_MADE):
            statement = made
            for sqlite, postgresql in _TYPES:
                statement = re.sub(sqlite, postgresql, statement)
            statements.append(statement.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS", 1))
        versions = connection.execute("SELECT table_name, table_version FROM version").fetchall()
        statements += [f"INSERT INTO version VALUES ('{table}', {version})" for table, version in versions]  # noqa: S608
        connection.close()
    server.execute(f"CREATE DATABASE {database}")
    server.execute(";".join(statements), database)


class GatewayOnPostgreSql(opensips.Gateway):
    """A gateway with all its tables in a PostgreSQL database."""

    def __init__(
        self, kind: str, directory: Path, address: str, url: str, settings: Mapping[str, str] | None = None
    ) -> None:
        # The entrypoint becomes what OPENSIPS names, once the configuration is there.
        script = directory / "opensips-on-postgresql"
        edits = (*_REPLACED, rf's|"sqlite://[^"]*"|"{url}"|')
        expressions = " ".join(f"-e {shlex.quote(edit)}" for edit in edits)
        script.write_text(
            "#!/bin/sh\nset -eu\n"
            f'sed -i {expressions} "$STATE_DIRECTORY/common.cfg" "$STATE_DIRECTORY/opensips.cfg"\n'
            f'exec {shlex.quote(opensips.BINARY or "opensips")} "$@"\n'
        )
        script.chmod(0o755)
        super().__init__(kind, directory, address, {**(settings or {}), "OPENSIPS": str(script)})
