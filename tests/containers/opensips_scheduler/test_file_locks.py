"""The watch over the files leaves the locks alone that SQLite has on them."""

import subprocess
import sys
from pathlib import Path

from opensips_scheduler import schema
from opensips_scheduler.file_watch import FileWatch

_OTHER_PROCESS = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("INSERT INTO contact_change (username, contact) VALUES (?, 'sip:x')", (sys.argv[2],))
connection.commit()
connection.close()
"""


def test_what_another_process_writes_is_seen_after_a_look(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    schema.create_gateway_database(path)
    connection = schema.connect(path)
    watch = FileWatch(path)
    for number in range(3):
        assert watch.damage(thorough=False) is None
        subprocess.run([sys.executable, "-c", _OTHER_PROCESS, str(path), f"user{number}"], check=True)
        assert connection.execute("SELECT count(*) FROM contact_change").fetchone() == (number + 1,)
        assert (tmp_path / "gateway.db-wal").exists(), "the other process took itself for the last"
    connection.close()
