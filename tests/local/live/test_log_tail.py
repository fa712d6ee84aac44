"""A file is followed line by line, whatever becomes of it."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from local.live.log_tail import LogTail


def test_lines_come_once_whole_and_numbered(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    tail = LogTail(path)
    assert tail.read() == []
    path.write_text("one\ntw")
    assert tail.read() == [(1, "one")]
    with path.open("a") as file:
        file.write("o\nthree\r\n")
    assert tail.read() == [(2, "two"), (3, "three")]
    assert tail.read() == []


def test_of_a_long_file_only_the_end_is_read_and_lines_keep_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("".join(f"line {number}\n" for number in range(1, 1001)))
    lines = LogTail(path, history=100).read()
    assert lines[-1] == (1000, "line 1000")
    assert 5 < len(lines) < 12
    assert all(text == f"line {number}" for number, text in lines)


def test_a_file_that_is_cut_short_or_made_anew_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("one\ntwo\n")
    tail = LogTail(path, history=3)
    tail.read()
    path.write_text("new\n")
    assert tail.read() == [(1, "new")]
    path.unlink()
    assert tail.read() == []
    path.write_text("another file\n")
    assert tail.read() == [(1, "another file")]


def test_a_line_without_end_takes_no_memory_and_the_next_one_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("")
    tail = LogTail(path)
    tail.read()
    for _ in range(5):
        with path.open("a") as file:
            file.write("x" * 50_000)
        assert tail.read() == []
        assert len(tail._rest) <= 65_536
    with path.open("a") as file:
        file.write("\nnext\n")
    assert tail.read() == [(2, "next")]


@given(st.lists(st.binary(max_size=30), max_size=12))
def test_however_it_is_written_the_lines_are_those_of_the_file(parts: list[bytes]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "a.log"
        path.touch()
        tail, found = LogTail(path), []
        for part in parts:
            with path.open("ab") as file:
                file.write(part)
            found += [text for _, text in tail.read()]
        whole = b"".join(parts).split(b"\n")[:-1]
        assert found == [line.decode(errors="replace").rstrip("\r") for line in whole]
