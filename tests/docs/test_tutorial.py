"""The tutorial: what it names is there, its commands are understood, its documents run, and its program answers."""

import json
import re
import subprocess
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from local.options import OWN_DOCUMENTS, SOFTPHONE_NETWORK, parse
from local.voice.softphone import Softphone
from local.voice.steps.softphone import FIRST_DOCUMENT
from switch_app.errors import TwimlError
from switch_app.verbs.catalogue import read_verbs
from switch_operator.command_line import parser
from tests.fakes.call_platform import CallPlatform
from tests.support.dockerfiles import ROOT

PAGE = ROOT / "docs" / "tutorial.md"
TEXT = PAGE.read_text()
FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PHONE = Softphone("secret")


def blocks(language: str) -> list[str]:
    return [text for kind, text in FENCED.findall(TEXT) if kind == language]


def commands() -> list[str]:
    """The commands of the page's indented blocks, those of several lines joined."""
    lines = re.sub(r" *\\\n +", " ", TEXT).splitlines()
    return [line.strip() for line in lines if line.startswith("    ")]


def test_every_target_of_make_is_there_and_takes_the_variables() -> None:
    makefile = (ROOT / "Makefile").read_text() + (ROOT / "local" / "compose" / "start.sh").read_text()
    named = re.findall(r"make ([a-z-]+)((?: [A-Z]+=\S+)*)", "\n".join(re.findall(r"`[^`]+`", TEXT) + commands()))
    assert {target for target, _ in named} >= {"softphone", "compose", "recordings", "operator", "stop"}
    for target, variables in named:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
        for variable in re.findall(r"([A-Z]+)=", variables):
            assert f"$({variable})" in makefile, variable
    assert "HOST_ADDRESS" in makefile
    assert "SIGNALWIRE_TOKEN" in makefile


def test_make_softphone_is_an_option_of_the_demo() -> None:
    command = ["make", "--dry-run", "--silent", "--assume-old=.venv/.installed", "softphone", "HOST=127.0.0.1"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    arguments = said.strip().splitlines()[-1].partition("local.demo ")[2].split()
    options = parse(None, arguments, {})
    assert (options.softphone, options.keep, options.phone_address) == (True, True, "127.0.0.1")
    assert (options.network, options.twiml) == (SOFTPHONE_NETWORK, OWN_DOCUMENTS)


def test_files_and_pages_that_are_named_are_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", TEXT):
        assert target.startswith("https://") or (PAGE.parent / target).exists(), target
    for anchor in re.findall(r"\]\(#([^)]+)\)", TEXT):
        assert anchor in [heading.lower().replace(" ", "-") for heading in re.findall(r"^## (.+)$", TEXT, re.MULTILINE)]
    assert "`local/twiml`" in TEXT
    assert OWN_DOCUMENTS == ROOT / "local" / "twiml"
    assert OWN_DOCUMENTS.is_dir()
    assert "- ./twiml:/voice:ro" in (ROOT / "local" / "compose.yaml").read_text()
    assert f"{OWN_DOCUMENTS.relative_to(ROOT)}/{FIRST_DOCUMENT}.xml" in TEXT


def test_the_softphone_is_who_the_page_says() -> None:
    assert f"user name   {PHONE.username}" in TEXT
    assert f"`/dial {PHONE.number}`" in TEXT
    assert f"SIP_USERNAME {PHONE.username}" in (ROOT / "local" / "compose" / "start.sh").read_text()


def test_documents_are_what_the_switch_takes_and_lead_to_each_other() -> None:
    written = dict(zip(re.findall(r"`local/twiml/(\w+\.xml)`:", TEXT), blocks("xml"), strict=True))
    assert list(written) == ["voice.xml", "message.xml", "thanks.xml"]
    verbs = {name: [type(verb).__name__ for verb in read_verbs(text)] for name, text in written.items()}
    assert verbs["voice.xml"] == ["Gather", "Say"]
    assert verbs["message.xml"] == ["Say", "Record", "Say"]
    assert verbs["thanks.xml"] == ["Play", "Say"]
    assert set(re.findall(r'action="([^"]+)"', TEXT)) <= set(written)


def test_what_the_log_says_of_a_wrong_element_is_what_it_says() -> None:
    (said,) = re.findall(r"such as `(line \d+: [^`]+)`", TEXT)
    with pytest.raises(TwimlError) as refused:
        read_verbs(blocks("xml")[0].replace("Gather", "Gathr"))
    assert str(refused.value) == said


def test_the_chime_can_be_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "local" / "twiml").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    exec(blocks("python")[0], {})  # noqa: S102
    assert (tmp_path / "local" / "twiml" / "chime.wav").stat().st_size == 44 + 2 * 8000


def test_the_program_says_back_what_was_pressed() -> None:
    names: dict[str, Any] = {"__name__": "program"}
    exec(blocks("python")[1], names)  # noqa: S102
    voice: type[BaseHTTPRequestHandler] = names["Voice"]
    with HTTPServer(("127.0.0.1", 0), voice) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        answers = [post(url, body) for body in (b"CallSid=x", b"CallSid=x&Digits=42")]
        server.shutdown()
    assert [len(read_verbs(answer)) for answer in answers] == [1, 2]
    assert b"You pressed 4 2." in answers[1]


def post(url: str, body: bytes) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, body, timeout=5) as answer:
        return bytes(answer.read())


def test_the_operator_understands_its_commands() -> None:
    named = re.findall(r'make operator ARGS="([^"]+)"', TEXT)
    assert named
    for arguments in named:
        assert parser().parse_args(arguments.split())


class Switch(BaseHTTPRequestHandler):
    """A switch that takes whatever call it is to make."""

    def do_POST(self) -> None:
        content = json.dumps({"id": "call", "host": "127.0.0.1"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def test_the_desk_takes_the_requests_of_the_page() -> None:
    text = re.sub(r" *\\?\n +", " ", TEXT)
    requests = re.findall(r"curl -X (\w+) -H '[^']+' -d '([^']+)' http://127.0.0.1:<platform>(/desk/\S+)", text)
    assert [path for _, _, path in requests] == ["/desk/numbers/1001", "/desk/calls"]
    with HTTPServer(("127.0.0.1", 0), Switch) as switch, CallPlatform("user", "password") as platform:
        threading.Thread(target=switch.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{switch.server_port}"
        for method, body, path in requests:
            filled = body.replace("<switch>", url).replace("<documents>", f"{url}/").encode()
            request = urllib.request.Request(f"{platform.url}{path}", filled, method=method)
            with urllib.request.urlopen(request, timeout=5) as answer:
                assert answer.status in (200, 201), path
        switch.shutdown()
        assert urlsplit(platform.numbers["1001"]["voice_url"]).port == 8001
        assert [call.external_id for call in platform.calls.values()] == ["call"]
