"""What a soak may be told."""

import pytest

from local.soak.options import parse


def test_without_options_it_takes_ten_minutes_and_draws_a_seed() -> None:
    options = parse("", [])
    assert options.seconds == 600
    assert options.rate == 2.5
    assert parse("", []).seed != options.seed or parse("", []).seed != options.seed


def test_options() -> None:
    options = parse("", ["--minutes", "0.5", "--rate", "4", "--seed", "0", "--network", "127.20.4.0/22"])
    assert (options.seconds, options.rate, options.seed, options.network) == (30, 4, 0, "127.20.4.0/22")


@pytest.mark.parametrize("wrong", [["--minutes", "0"], ["--rate", "-1"], ["--seed", "x"]])
def test_wrong_options_are_named(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse("", wrong)
    assert wrong[0] in capsys.readouterr().err
