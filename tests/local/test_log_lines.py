"""Lines of logs are shown whole, each with the name of its process."""

from pathlib import Path

from local.log_lines import LogLines


def test_whole_lines_are_shown_once_with_the_name_of_their_process(tmp_path: Path) -> None:
    shown: list[tuple[str, str]] = []
    lines = LogLines(tmp_path, lambda name, _, text: shown.append((name, text)))
    (tmp_path / "app.log").write_text("one\ntw")
    lines.look()
    assert shown == [("app", "one")]
    with (tmp_path / "app.log").open("a") as log:
        log.write("o\n")
    (tmp_path / "late.log").write_text("three\n")
    lines.look()
    lines.look()
    assert shown == [("app", "one"), ("app", "two"), ("late", "three")]


def test_what_was_there_before_may_be_left_out(tmp_path: Path) -> None:
    shown: list[str] = []
    (tmp_path / "app.log").write_text("old\n")
    lines = LogLines(tmp_path, lambda _, __, text: shown.append(text), from_start=False)
    with (tmp_path / "app.log").open("a") as log:
        log.write("new\n")
    lines.look()
    assert shown == ["new"]
