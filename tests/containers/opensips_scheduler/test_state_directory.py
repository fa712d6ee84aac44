"""Damage to a file that is in use is found, and what is only busy is no damage."""

import contextlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from opensips_scheduler import schema
from opensips_scheduler.file_watch import DamageWatch, FileWatch
from opensips_scheduler.state_directory import StateDirectory, set_aside


@pytest.fixture
def directory(tmp_path: Path) -> StateDirectory:
    made = StateDirectory(tmp_path)
    schema.create_routing_database(made.routing_database)
    schema.create_gateway_database(made.gateway_database)
    return made


def delete(path: Path) -> None:
    path.unlink()


def overwrite(path: Path) -> None:
    path.write_bytes(os.urandom(20_000))


def truncate(path: Path) -> None:
    os.truncate(path, 0)


def replace(path: Path) -> None:
    schema.create_routing_database(path.with_name("other.db"))
    path.with_name("other.db").replace(path)


@pytest.mark.parametrize("harm", [delete, overwrite, truncate, replace])
def test_harm_is_found_at_the_first_look(directory: StateDirectory, harm: Callable[[Path], None]) -> None:
    watch = FileWatch(directory.routing_database)
    assert watch.damage(thorough=True) is None
    harm(directory.routing_database)
    assert watch.damage(thorough=False) is not None


def test_harm_in_the_middle_is_found_by_a_thorough_look(directory: StateDirectory) -> None:
    with contextlib.closing(schema.connect(directory.routing_database)) as connection:
        rows = [(f"10.0.{number >> 8}.{number & 255}",) for number in range(5_000)]
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO address (ip, mask, grp) VALUES (?, 32, 1)", rows)
        connection.execute("COMMIT")
    watch = FileWatch(directory.routing_database)
    assert watch.damage(thorough=True) is None
    with directory.routing_database.open("r+b") as file:
        file.seek(40_000)
        file.write(os.urandom(40_000))
    assert watch.damage(thorough=False) is None
    assert watch.damage(thorough=True) == "is corrupt"


def test_a_thorough_look_is_taken_from_time_to_time_or_on_suspicion(
    directory: StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[Path] = []
    monkeypatch.setattr(schema, "is_corrupt", lambda path: bool(looked.append(path)))
    now, suspect = [0.0], [False]
    watch = DamageWatch(lambda: suspect[0], 30, lambda: now[0])
    watch.watch((directory.routing_database,))
    assert not watch.look()
    assert looked == []
    now[0] = 30
    watch.look()
    now[0] = 31
    watch.look()
    assert len(looked) == 1
    suspect[0] = True
    watch.look()
    assert len(looked) == 2


def test_what_was_found_damaged_stays_so_and_is_moved_when_told(directory: StateDirectory) -> None:
    watch = DamageWatch(lambda: False)
    watch.watch((directory.routing_database, directory.gateway_database))
    overwrite(directory.gateway_database)
    assert watch.look()
    assert watch.look()
    assert directory.gateway_database.exists()
    watch.set_aside()
    assert not directory.gateway_database.exists()
    assert directory.routing_database.exists()


def test_a_file_that_is_written_to_is_not_damaged(directory: StateDirectory) -> None:
    watch = FileWatch(directory.routing_database)
    with contextlib.closing(schema.connect(directory.routing_database)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO domain (domain) VALUES ('sip.example.org')")
        assert watch.damage(thorough=True) is None
        connection.execute("COMMIT")
        assert watch.damage(thorough=True) is None


def test_a_file_that_cannot_be_opened_is_an_error_and_not_moved(tmp_path: Path) -> None:
    (tmp_path / "routing.db").mkdir()
    with pytest.raises(sqlite3.OperationalError):
        StateDirectory(tmp_path).set_aside_damaged()
    assert (tmp_path / "routing.db").is_dir()


def test_what_is_damaged_is_set_aside_with_what_belongs_to_it(directory: StateDirectory) -> None:
    Path(f"{directory.gateway_database}-wal").write_bytes(b"x")
    set_aside(directory.gateway_database)
    moved = sorted(path.name for path in directory.path.iterdir() if "corrupt" in path.name)
    assert moved == ["gateway.db-wal.corrupt", "gateway.db.corrupt"]


def test_a_damaged_and_a_missing_file_are_told_and_others_stay(directory: StateDirectory) -> None:
    assert not directory.set_aside_damaged()
    directory.gateway_database.write_bytes(b"no database" * 500)
    assert directory.set_aside_damaged()
    assert not directory.gateway_database.exists()
    assert directory.routing_database.exists()
    assert directory.set_aside_damaged()  # one is not there


def test_a_missing_file_is_not_made_by_looking(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        schema.connect(tmp_path / "routing.db")
    assert list(tmp_path.iterdir()) == []
