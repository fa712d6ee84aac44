"""The two SQLite files that OpenSIPS reads, in OpenSIPS's own schema.

`routing.db` holds what the scheduler writes and OpenSIPS only reads: targets, addresses, credentials, domains, media
proxies. `gateway.db` holds what OpenSIPS writes: contacts and dialogs. Workers keep both open, so rows are changed in
place and a file is never swapped under a running OpenSIPS.

Columns and table versions are those that OpenSIPS 3.6 asks for; a module refuses to start on another version.
"""

import contextlib
import sqlite3
from pathlib import Path
from typing import Final

_CHECKPOINT_PAGES: Final = 4_000
"""Pages of the write-ahead log after which it is worked into the file: 4 MB, as with SQLite's own sizes of both."""

BUSY_SECONDS: Final = 5.0
"""How long a statement waits for another process's transaction."""

_TABLE_VERSIONS: Final = {
    "load_balancer": 3,
    "address": 5,
    "subscriber": 8,
    "domain": 4,
    "rtpengine": 1,
    "location": 1013,
    "dialog": 12,
}

_VERSION = "CREATE TABLE IF NOT EXISTS version (table_name TEXT PRIMARY KEY, table_version INTEGER NOT NULL)"

_ROUTING_TABLES: Final = (
    # The last column is ours: since when a row is kept for the calls of a switch that is a target no longer
    # (`former_targets`). OpenSIPS reads the columns that it knows, by name.
    """
    CREATE TABLE IF NOT EXISTS load_balancer (
        id INTEGER PRIMARY KEY,
        group_id INTEGER NOT NULL,
        dst_uri TEXT NOT NULL UNIQUE,
        resources TEXT NOT NULL,
        probe_mode INTEGER NOT NULL DEFAULT 0,
        attrs TEXT,
        description TEXT,
        former_since REAL
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS address (
        id INTEGER PRIMARY KEY,
        grp INTEGER NOT NULL,
        ip TEXT NOT NULL,
        mask INTEGER NOT NULL,
        port INTEGER NOT NULL DEFAULT 0,
        proto TEXT NOT NULL DEFAULT 'any',
        pattern TEXT,
        context_info TEXT,
        UNIQUE (ip, mask)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS subscriber (
        id INTEGER PRIMARY KEY,
        username TEXT NOT NULL UNIQUE,
        domain TEXT NOT NULL DEFAULT '',
        password TEXT NOT NULL DEFAULT '',
        ha1 TEXT NOT NULL,
        ha1_sha256 TEXT NOT NULL,
        ha1_sha512t256 TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS domain (
        id INTEGER PRIMARY KEY,
        domain TEXT NOT NULL UNIQUE,
        attrs TEXT,
        accept_subdomain INTEGER NOT NULL DEFAULT 0,
        last_modified DATETIME NOT NULL DEFAULT '1970-01-01 00:00:01'
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS rtpengine (
        id INTEGER PRIMARY KEY,
        socket TEXT NOT NULL,
        set_id INTEGER NOT NULL,
        UNIQUE (socket, set_id)
    )
    """,
    # How far the journal of each routing table has been applied, in the same transaction as the rows themselves.
    "CREATE TABLE IF NOT EXISTS journal_position (name TEXT PRIMARY KEY, position INTEGER NOT NULL)",
)

_GATEWAY_TABLES: Final = (
    """
    CREATE TABLE IF NOT EXISTS location (
        contact_id INTEGER PRIMARY KEY,
        username TEXT NOT NULL,
        domain TEXT,
        contact TEXT NOT NULL,
        received TEXT,
        path TEXT,
        expires INTEGER NOT NULL,
        q REAL NOT NULL DEFAULT 1.0,
        callid TEXT NOT NULL,
        cseq INTEGER NOT NULL,
        last_modified DATETIME NOT NULL,
        flags INTEGER NOT NULL DEFAULT 0,
        cflags TEXT,
        user_agent TEXT NOT NULL DEFAULT '',
        socket TEXT,
        methods INTEGER,
        sip_instance TEXT,
        kv_store TEXT,
        attr TEXT
    )
    """,
    "CREATE INDEX IF NOT EXISTS location_username ON location (username)",
    # OpenSIPS takes a column for a 64-bit number by the declared type alone, and skips dialogs whose dlg_id is none.
    """
    CREATE TABLE IF NOT EXISTS dialog (
        dlg_id BIGINT PRIMARY KEY NOT NULL,
        callid TEXT NOT NULL,
        from_uri TEXT NOT NULL,
        from_tag TEXT NOT NULL,
        to_uri TEXT NOT NULL,
        to_tag TEXT NOT NULL,
        mangled_from_uri TEXT,
        mangled_to_uri TEXT,
        caller_cseq TEXT NOT NULL,
        callee_cseq TEXT NOT NULL,
        caller_ping_cseq INTEGER NOT NULL,
        callee_ping_cseq INTEGER NOT NULL,
        caller_route_set TEXT,
        callee_route_set TEXT,
        caller_contact TEXT,
        callee_contact TEXT,
        caller_sock TEXT NOT NULL,
        callee_sock TEXT NOT NULL,
        state INTEGER NOT NULL,
        start_time INTEGER NOT NULL,
        timeout INTEGER NOT NULL,
        vars BLOB,
        profiles TEXT,
        script_flags TEXT,
        module_flags INTEGER NOT NULL DEFAULT 0,
        flags INTEGER NOT NULL DEFAULT 0,
        rt_on_answer TEXT,
        rt_on_timeout TEXT,
        rt_on_hangup TEXT
    )
    """,
    # Contacts that changed and were not told to DynamoDB yet. The triggers write them in OpenSIPS's own transaction, so
    # that no change is lost, whoever of OpenSIPS and the scheduler is killed when.
    """
    CREATE TABLE IF NOT EXISTS contact_change (
        seq INTEGER PRIMARY KEY,
        username TEXT NOT NULL,
        contact TEXT NOT NULL
    )
    """,
    """
    CREATE TRIGGER IF NOT EXISTS location_insert AFTER INSERT ON location
    BEGIN INSERT INTO contact_change (username, contact) VALUES (NEW.username, NEW.contact); END
    """,
    """
    CREATE TRIGGER IF NOT EXISTS location_update AFTER UPDATE ON location
    BEGIN
        INSERT INTO contact_change (username, contact) VALUES (NEW.username, NEW.contact);
        INSERT INTO contact_change (username, contact)
            SELECT OLD.username, OLD.contact WHERE OLD.contact IS NOT NEW.contact OR OLD.username IS NOT NEW.username;
    END
    """,
    """
    CREATE TRIGGER IF NOT EXISTS location_delete AFTER DELETE ON location
    BEGIN INSERT INTO contact_change (username, contact) VALUES (OLD.username, OLD.contact); END
    """,
)


def connect(path: Path, *, create: bool = False) -> sqlite3.Connection:
    """Open a file as OpenSIPS and the scheduler share it: readers and the one writer do not wait for each other.

    A file that is not there is an error, unless it is to be created: an empty one in its place would hide the loss.

    Transactions are begun and ended by the caller. A commit is safe against a crash of any process; against a power
    failure the last ones may be lost, which the journal position in the same file makes up for.
    """
    uri = f"{path.absolute().as_uri()}?mode={'rwc' if create else 'rw'}"
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        if create:
            # A registration changes a few rows: small pages make the write-ahead log, and the locked time, shorter. It
            # counts for a new file only.
            connection.execute("PRAGMA page_size = 1024")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
    except BaseException:
        connection.close()
        raise
    return connection


def is_corrupt(path: Path) -> bool:
    """Tell whether a file is there and is no SQLite file, or a damaged one.

    Raises:
        sqlite3.OperationalError: when it cannot be opened at all.

    """
    if not path.exists():
        return False
    try:
        with contextlib.closing(connect(path)) as connection:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok")
    except sqlite3.DatabaseError as error:
        # A file that is busy, or that nobody may read, is another matter.
        code = error.sqlite_errorcode
        if code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or code == sqlite3.SQLITE_IOERR_SHORT_READ:
            return True
        raise


def create_routing_database(path: Path) -> None:
    """Make the tables of `routing.db` where they are missing."""
    _create(path, _ROUTING_TABLES, ("load_balancer", "address", "subscriber", "domain", "rtpengine"))


def create_gateway_database(path: Path) -> None:
    """Make the tables of `gateway.db` where they are missing."""
    _create(path, _GATEWAY_TABLES, ("location", "dialog"))


def _create(path: Path, statements: tuple[str, ...], tables: tuple[str, ...]) -> None:
    connection = connect(path, create=True)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(_VERSION)
        for statement in statements:
            connection.execute(statement)
        connection.executemany(
            "INSERT OR REPLACE INTO version (table_name, table_version) VALUES (?, ?)",
            [(table, _TABLE_VERSIONS[table]) for table in tables],
        )
        connection.execute("COMMIT")
    finally:
        connection.close()
