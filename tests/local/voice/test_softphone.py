"""A softphone's password is made once, for its owner alone, and sent as the platform sends it."""

from pathlib import Path

from local.digests import digests
from local.voice.softphone import Softphone, kept_password
from tests.support.queue_events import DIGESTS


def test_a_password_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    password = kept_password(home)
    assert len(password) == 16
    assert kept_password(home) == password
    assert kept_password(tmp_path / "other") != password
    (file,) = home.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_digests_are_those_of_the_platform() -> None:
    assert digests("user1", "somleng.org", "password") == DIGESTS
    assert Softphone("password", username="user1").digests == DIGESTS


def test_a_password_is_not_shown_by_accident() -> None:
    assert "secret" not in repr(Softphone("secret"))
