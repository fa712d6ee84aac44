"""The customer of `local/compose.yaml`, asked as the switch asks it, and as somebody who looks on does."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from local.compose.customer import Customer


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Documents of somebody's own."""
    (tmp_path / "hello.xml").write_text("<Response><Hangup/></Response>")
    return tmp_path


@pytest.fixture
def url(directory: Path) -> Iterator[str]:
    with Customer(0, directory) as running:
        yield running.url


def ask(url: str, **form: str) -> str:
    data = urlencode(form).encode() if form else None
    with urllib.request.urlopen(url, data, timeout=5) as answer:
        return str(answer.read().decode())


def test_it_says_back_what_was_pressed_and_tells_who_asks(url: str) -> None:
    assert json.loads(ask(f"{url}/pressed")) == []
    assert 'action="/digits"' in ask(f"{url}/voice.xml", To="1294")
    document = ask(f"{url}/digits", From="+85510777001", To="1294", Digits="12*", CallSid="1")
    assert "You pressed 1 2 *." in document
    ask(f"{url}/digits", From="+85510777001", To="1295", Digits="3")
    assert json.loads(ask(f"{url}/pressed")) == [
        {"from": "+85510777001", "to": "1294", "digits": "12*"},
        {"from": "+85510777001", "to": "1295", "digits": "3"},
    ]


def test_documents_of_ones_own_go_first(url: str, directory: Path) -> None:
    (directory / "voice.xml").write_text("<Response><Reject/></Response>")
    assert ask(f"{url}/voice.xml", To="1294") == "<Response><Reject/></Response>"
    assert "Hangup" in ask(f"{url}/hello.xml")
