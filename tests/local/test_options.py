"""Options come from the command line, and else from the environment."""

from pathlib import Path

import pytest

from local.options import parse


def test_defaults_are_drawn_at_run_time() -> None:
    options = parse(None, [], {})
    assert (options.keep, options.logs, options.network, options.twiml) == (False, False, None, None)
    assert options.ports == (None, None, None)


def test_an_argument_counts_more_than_a_variable(tmp_path: Path) -> None:
    environment = {"DEMO_NETWORK": "127.1.0.0/22", "DEMO_AWS_PORT": "4566", "DEMO_TWIML": str(tmp_path)}
    options = parse(None, [], environment)
    assert (options.network, options.ports, options.twiml) == ("127.1.0.0/22", (4566, None, None), tmp_path)
    options = parse(None, ["--network", "127.2.0.0/22", "--aws-port", "4567", "--platform-port=3000"], environment)
    assert (options.network, options.ports) == ("127.2.0.0/22", (4567, None, 3000))


def test_documents_that_are_not_there_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(None, ["--twiml", "/nonexistent"], {})
    assert "/nonexistent is no directory" in capsys.readouterr().err
