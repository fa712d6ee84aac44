"""`<Redirect>`."""

import pytest

from switch_app.errors import TwimlError
from switch_app.verbs.catalogue import read_verbs
from tests.support.switch_session import URL, Run

NEXT = "https://www.example.com/redirect.xml"
DOCUMENTS = {NEXT: "<Response><Say>next</Say></Response>"}


@pytest.mark.parametrize(
    ("verb", "method"),
    [
        pytest.param(f"<Redirect>{NEXT}</Redirect>", "POST", id="APP-41"),
        pytest.param("<Redirect>/redirect.xml</Redirect>", "POST", id="APP-42"),
        pytest.param('<Redirect method="GET">/redirect.xml</Redirect>', "GET", id="APP-43"),
        pytest.param('<Redirect method="get">/redirect.xml</Redirect>', "GET", id="X-8-either-case-as-at-twilio"),
        pytest.param('<Redirect method="PUT">/redirect.xml</Redirect>', "POST", id="X-8-any-other-is-the-default"),
        pytest.param("<Redirect>\n  /redirect.xml\n</Redirect>", "POST", id="white-space"),
    ],
)
def test_it_goes_on_with_another_document(verb: str, method: str) -> None:
    run = Run(f"<Response>{verb}<Play/></Response>", documents=DOCUMENTS)
    assert run.requests == [(method, NEXT)]
    assert run.last["CallStatus"] == "in-progress"
    assert run.heard == ["next."]


def test_x_10_it_neither_answers_nor_waits() -> None:
    run = Run(f"<Response><Redirect>{NEXT}</Redirect></Response>", documents={NEXT: "<Response><Reject/></Response>"})
    assert run.call.done == ["reject"]
    assert run.call.now == 0


def test_a_relative_url_is_relative_to_where_the_document_came_from_in_the_end() -> None:
    run = Run(
        "<Response><Redirect>b.xml</Redirect></Response>",
        prepare=lambda run: run.server.redirected.update({URL: "https://other.example.com/x/a.xml"}),
    )
    assert run.requests == [("POST", "https://other.example.com/x/b.xml")]


@pytest.mark.parametrize("text", [pytest.param("", id="APP-44"), pytest.param(" <!-- none --> ", id="blank")])
def test_one_without_a_url_is_an_error(text: str) -> None:
    with pytest.raises(TwimlError, match=r"^line 1: <Redirect> must contain a URL$"):
        read_verbs(f"<Response><Redirect>{text}</Redirect></Response>")
