"""`<Reject>` and `<Hangup>`."""

import pytest

from switch_app.call import Rejection
from switch_app.errors import TwimlError
from switch_app.verbs.catalogue import read_verbs
from tests.support.switch_session import CALL_SID, Run


@pytest.mark.parametrize(
    ("verb", "rejection"),
    [
        pytest.param("<Reject/>", Rejection.DECLINE, id="APP-45"),
        pytest.param('<Reject reason="busy"/>', Rejection.BUSY, id="APP-46"),
        pytest.param('<Reject reason="rejected"/>', Rejection.DECLINE, id="rejected"),
        pytest.param('<Reject reason="tired"/>', Rejection.DECLINE, id="any-other"),
        pytest.param('<Reject><Parameter name="a" value="b"/></Reject>', Rejection.DECLINE, id="parameters"),
    ],
)
def test_a_call_is_refused_and_not_answered(verb: str, rejection: Rejection) -> None:
    run = Run(f"<Response>{verb}<Say>never</Say></Response>")
    assert (run.call.rejection, run.call.done) == (rejection, ["reject"])
    assert run.call.reject_headers == {"X-Somleng-CallSid": CALL_SID}
    assert run.platform.speech == []


def test_a_call_that_is_answered_is_hung_up_instead() -> None:
    run = Run("<Response><Say>a</Say><Reject/><Say>never</Say></Response>")
    assert run.call.done == ["answer", "play", "hangup"]
    assert run.heard == ["a."]


def test_app_47_a_call_is_hung_up() -> None:
    run = Run("<Response><Say>a</Say><Hangup/><Say>never</Say></Response>")
    assert run.heard == ["a."]
    assert run.call.done == ["answer", "play", "hangup"]
    assert run.call.cause == "NORMAL_CLEARING"


@pytest.mark.parametrize("verb", ["Hangup", "Reject"])
def test_nothing_else_is_allowed_within(verb: str) -> None:
    with pytest.raises(TwimlError, match=rf"^line 2: <Say> is not allowed within <{verb}>$"):
        read_verbs(f"<Response><{verb}>\n<Say/></{verb}></Response>")
