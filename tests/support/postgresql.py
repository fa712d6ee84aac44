"""A PostgreSQL of a test's own: a new cluster in a temporary directory, on a loopback port, ended by its own pg_ctl."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

from local import servers

_UNPRIVILEGED = "postgres"
"""Whom Debian's package makes. The server does not run as root."""

USER = "opensips"
MISSING = "PostgreSQL's 'initdb' and 'pg_ctl' are neither on the PATH nor below /usr/lib/postgresql"


def _folder() -> Path | None:
    """Return where the newest installed server's programs lie; Debian keeps them off the PATH."""
    found = shutil.which("pg_ctl")
    if found is not None:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parent.parent.name))
    return versions[-1].parent if versions else None


PROGRAMS = _folder()


class PostgreSql:
    """A server, as a context.

    Args:
        settings: of postgresql.conf, where they differ from what initdb writes.

    """

    def __init__(self, **settings: str) -> None:
        self.port = servers.free_port()
        self.settings = {
            "port": str(self.port),
            "listen_addresses": f"'{servers.HOST}'",
            "unix_socket_directories": "''",
            **settings,
        }
        self.directory = Path(tempfile.mkdtemp(prefix="postgresql-"))
        self.pid = 0

    def __enter__(self) -> Self:
        try:
            if os.getuid() == 0:
                shutil.chown(self.directory, _UNPRIVILEGED)
            data = self.directory / "data"
            options = ("--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", f"--username={USER}")
            self._run("initdb", f"--pgdata={data}", *options)
            lines = (f"{name} = {value}\n" for name, value in self.settings.items())
            with (data / "postgresql.conf").open("a") as configuration:
                configuration.writelines(lines)
            self._run("pg_ctl", f"--pgdata={data}", f"--log={self.directory / 'log'}", "--wait", "start")
            self.pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
        except BaseException:
            shutil.rmtree(self.directory)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._run("pg_ctl", f"--pgdata={self.directory / 'data'}", "--mode=immediate", "--wait", "stop")
        shutil.rmtree(self.directory)

    def url(self, database: str) -> str:
        """Return a database's URL as OpenSIPS has it."""
        return f"postgres://{USER}:unused@{servers.HOST}:{self.port}/{database}"

    def execute(self, statements: str, database: str = "postgres") -> str:
        """Run statements; return the rows that they select, a line each, columns between bars."""
        return self._psql(database, "--command", statements)

    def load(self, database: str, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Add rows to a table, all in one go. No value may have a tab or a backslash."""
        lines = "".join("\t".join(map(str, row)) + "\n" for row in rows)
        self._psql(database, "--command", f"COPY {table} ({', '.join(columns)}) FROM STDIN", given=lines)

    def _psql(self, database: str, *arguments: str, given: str | None = None) -> str:
        options = ("--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1")
        address = (f"--host={servers.HOST}", f"--port={self.port}", f"--username={USER}", f"--dbname={database}")
        return self._run("psql", *options, *address, *arguments, given=given)

    def _run(self, program: str, *arguments: str, given: str | None = None) -> str:
        assert PROGRAMS is not None, MISSING
        ended = subprocess.run(
            [str(PROGRAMS / program), *arguments],
            cwd=self.directory,
            user=_UNPRIVILEGED if os.getuid() == 0 else None,
            group=_UNPRIVILEGED if os.getuid() == 0 else None,
            extra_groups=[] if os.getuid() == 0 else None,
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode != 0:
            raise AssertionError(f"{program} ended with {ended.returncode}: {ended.stderr[-2000:]}")
        return ended.stdout
