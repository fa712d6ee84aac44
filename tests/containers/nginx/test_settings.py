"""What the reverse proxy's start refuses, and what the configuration becomes; nginx itself is not needed."""

import os
import re
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[3] / "containers" / "nginx"


def start(state: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "NGINX_PROGRAM": "echo", "STATE_DIRECTORY": str(state), **settings}
    return subprocess.run(
        [FOLDER / "entrypoint.sh"], env=environment, capture_output=True, text=True, timeout=30, check=False
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTP_ADDRESS", "127.0.0.1; }"),
        ("HTTP_ADDRESS", "localhost"),
        ("HTTP_ADDRESS", "127..1"),
        ("HTTP_PORT", "0"),
        ("HTTP_PORT", "65536"),
        ("HTTP_PORT", "80;"),
        ("HTTP_PORT", "99999999999999999999"),
        ("APP_ADDRESS", "127.0.0.1"),
        ("APP_ADDRESS", "127.0.0.1:"),
        ("APP_ADDRESS", "127.0.0.1:x"),
        ("APP_ADDRESS", ":3000"),
        ("APP_ADDRESS", "http://127.0.0.1:3000"),
        ("APP_ADDRESS", "127.0.0.1:3000; }"),
        ("APP_TIMEOUT", "30s"),
        ("BODY_MAXIMUM", "much"),
        ("BODY_MAXIMUM", "512g"),
        ("TRUSTED_PROXIES", "all;"),
        ("TRUSTED_PROXIES", "10.0.0.0/8 172.16.0.0/12"),
        ("STATE_DIRECTORY", "/nonexistent"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(name: str, value: str, tmp_path: Path) -> None:
    ended = start(tmp_path, **{name: value})
    assert ended.returncode == 78
    assert f"nginx: {name} is '" in ended.stderr
    assert ended.stdout == ""


def test_a_name_that_is_not_known_to_the_template_is_refused(tmp_path: Path) -> None:
    (tmp_path / "program").mkdir()
    for script in ("entrypoint.sh", "render.awk"):
        (tmp_path / "program" / script).write_bytes((FOLDER / script).read_bytes())
    (tmp_path / "program" / "nginx.conf").write_text("a ${HTTP_PORT}\nb ${NOT_THERE}\n")
    environment = {"PATH": os.environ["PATH"], "NGINX_PROGRAM": "echo", "STATE_DIRECTORY": str(tmp_path)}
    command = ["sh", tmp_path / "program" / "entrypoint.sh"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 78
    assert "2: environment variable NOT_THERE is not set" in ended.stderr


def test_defaults(tmp_path: Path) -> None:
    assert start(tmp_path).returncode == 0
    configuration = (tmp_path / "nginx.conf").read_text()
    assert not re.search(r"\$\{[A-Z]", configuration)
    assert "listen *:80 default_server;" in configuration
    assert "server 127.0.0.1:3000;" in configuration
    assert configuration.count("set_real_ip_from ") == 3


def test_an_address_of_its_own(tmp_path: Path) -> None:
    assert start(tmp_path, HTTP_ADDRESS="10.1.2.3").returncode == 0
    configuration = (tmp_path / "nginx.conf").read_text()
    assert "listen 10.1.2.3:80 default_server;" in configuration
    assert "allow 127.0.0.0/8; allow 10.1.2.3;" in configuration


def test_every_trusted_proxy_has_a_line(tmp_path: Path) -> None:
    start(tmp_path, TRUSTED_PROXIES="10.1.0.0/16,fd00::/8")
    configuration = (tmp_path / "nginx.conf").read_text()
    assert "    set_real_ip_from 10.1.0.0/16;\n    set_real_ip_from fd00::/8;\n" in configuration


def test_what_nginx_does_not_take_is_refused(tmp_path: Path) -> None:
    ended = start(tmp_path, NGINX_PROGRAM="false")
    assert ended.returncode == 78
    assert "nginx does not take the configuration" in ended.stderr
