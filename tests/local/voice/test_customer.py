"""A customer's server serves a directory, and notes what was asked for."""

import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.run_directory import ROOT
from local.servers import free_port
from local.voice.customer import customer
from local.voice.documents import Documents


@pytest.fixture
def documents(tmp_path: Path) -> Iterator[Documents]:
    port, folder = free_port(), tmp_path / "documents"
    folder.mkdir()
    (tmp_path / "own").mkdir()
    path = {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "layers" / "routing" / "python")))}
    server = customer(tmp_path, folder, "127.0.0.1", port, path, tmp_path / "own")
    server.start()
    server.wait_until_ready(10)
    yield Documents(folder, f"http://127.0.0.1:{port}")
    server.stop()


def test_documents_are_read_anew_and_requests_noted(documents: Documents) -> None:
    url = documents.write("menu", "<Say>Hello</Say>")
    request = urllib.request.Request(f"{url}?a=1", data=b"Digits=42&CallSid=x", headers={"X-Twilio-Signature": "s"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert answer.headers["Content-Type"].startswith("text/xml")
        assert b"<Say>Hello</Say>" in answer.read()
    documents.write("menu", "<Hangup/>")
    with urllib.request.urlopen(url, timeout=5) as answer:
        assert b"<Hangup/>" in answer.read()
    first, second = documents.requests("menu")
    assert (first["method"], first["parameters"], first["signed"]) == (
        "POST",
        {"a": "1", "Digits": "42", "CallSid": "x"},
        True,
    )
    assert (second["method"], second["parameters"], second["signed"]) == ("GET", {}, False)


@pytest.mark.parametrize("path", ["/nothing.xml", "/../../customer.log", "/requests.jsonl", "/%2e%2e/customer.log"])
def test_what_is_no_document_is_not_found(documents: Documents, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{documents.url}{path}", timeout=5)


def test_own_documents_go_before_the_others_and_may_come_later(documents: Documents, tmp_path: Path) -> None:
    url = documents.write("mine", "<Hangup/>")
    (tmp_path / "own" / "mine.xml").write_text("<Response/>")
    with urllib.request.urlopen(url, timeout=5) as answer:
        assert answer.read() == b"<Response/>"
    (tmp_path / "own" / "mine.xml").unlink()
    with urllib.request.urlopen(url, timeout=5) as answer:
        assert b"<Hangup/>" in answer.read()
    assert [request["path"] for request in documents.requests("mine")] == ["/mine.xml"] * 2
    assert list((tmp_path / "own").iterdir()) == [], "requests are not noted where somebody keeps documents"
