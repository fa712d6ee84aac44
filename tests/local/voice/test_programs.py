"""Which programs are there is found out, and what is lacking is named with how to get it."""

from pathlib import Path

import pytest

from local.voice.programs import PROGRAMS, NatTools, missing


def place(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all there is of a PATH, administrators' folders included."""
    monkeypatch.setattr("local.containers.nginx.ADMINISTRATORS_PATH", str(tmp_path))
    return tmp_path


def test_nothing_is_missing_where_all_are_on_the_path(nowhere: Path) -> None:
    place(nowhere, *(program.name for program in PROGRAMS))
    assert missing({"PATH": str(nowhere)}) == []


def test_each_that_is_missing_is_named_with_how_to_get_it(nowhere: Path) -> None:
    place(nowhere, "opensips", "nginx")
    lacking = missing({"PATH": str(nowhere)})
    assert [program.name for program in lacking] == ["freeswitch", "rtpengine", "sipp"]
    assert all(program.how for program in lacking)
    assert "docs/freeswitch.md" in lacking[0].how
    assert "apt install rtpengine-daemon" in lacking[1].how


def test_a_variable_names_a_program_elsewhere(nowhere: Path, tmp_path: Path) -> None:
    place(nowhere, "nginx", "sipp", "rtpengine", "switch", "proxy")
    names = {"OPENSIPS": str(tmp_path / "proxy"), "FREESWITCH": str(tmp_path / "switch")}
    assert missing({"PATH": str(nowhere), **names}) == []


def test_a_variable_that_names_nothing_is_not_made_up_for(nowhere: Path) -> None:
    place(nowhere, *(program.name for program in PROGRAMS))
    (lacking,) = missing({"PATH": str(nowhere), "OPENSIPS": "/nonexistent/opensips"})
    assert lacking.name == "opensips"


@pytest.mark.parametrize(
    ("root", "found", "reason"),
    [
        (False, {"ip", "unshare", "nsenter", "iptables"}, "root"),
        (True, {"unshare", "nsenter", "iptables"}, "ip not found"),
        (True, {"ip", "unshare", "nsenter"}, "neither iptables nor nft"),
        (True, {"ip", "unshare", "nsenter", "nft"}, None),
    ],
)
def test_what_a_router_needs(root: bool, found: set[str], reason: str | None) -> None:
    said = NatTools(lambda: root, lambda name: name if name in found else None).reason_not()
    assert said is None if reason is None else said and reason in said
