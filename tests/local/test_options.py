"""Options come from the command line, and else from the environment."""

from pathlib import Path

import pytest

from local.options import OWN_DOCUMENTS, SOFTPHONE_NETWORK, parse


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


def test_a_softphone_is_told_the_same_each_time_unless_it_is_said_otherwise(tmp_path: Path) -> None:
    options = parse(None, ["--softphone"], {})
    assert (options.softphone, options.keep, options.phone_address) == (True, True, None)
    assert (options.network, options.twiml) == (SOFTPHONE_NETWORK, OWN_DOCUMENTS)
    environment = {"DEMO_NETWORK": "127.1.0.0/22", "DEMO_TWIML": str(tmp_path), "DEMO_PHONE_ADDRESS": "127.0.0.2"}
    options = parse(None, ["--softphone"], environment)
    assert (options.network, options.twiml, options.phone_address) == ("127.1.0.0/22", tmp_path, "127.0.0.2")


@pytest.mark.parametrize("address", ["203.0.113.9", "laptop", "::1"])
def test_an_address_that_is_not_of_this_machine_is_refused(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(None, ["--softphone", "--phone-address", address], {})
    assert f"{address} is no IPv4 address of this machine" in capsys.readouterr().err


def test_a_softphone_needs_calls(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(None, ["--softphone", "--control-plane-only"], {})
    assert "--softphone needs calls" in capsys.readouterr().err
