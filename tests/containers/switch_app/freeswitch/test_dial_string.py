"""Dial strings say what they are meant to, and nobody's text says more."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch_app.call import Leg, SipCredentials
from switch_app.errors import MediaServerError
from switch_app.freeswitch.dial_string import bracketed, endpoint_of, variables_of

LEG = Leg("7f2f5c9e-0000-4000-8000-000000000001", "85516701721@27.109.112.140", "nat_gateway", "2442", "sid-1")


def test_a_leg_goes_to_its_address_by_its_profile() -> None:
    assert endpoint_of(LEG) == "sofia/nat_gateway/85516701721@27.109.112.140"


def test_a_leg_with_a_proxy_goes_through_it() -> None:
    leg = replace(LEG, address="016701722@45.118.77.153:1619", proxy="10.10.0.20:6060")
    assert endpoint_of(leg) == "sofia/nat_gateway/016701722@45.118.77.153:1619;fs_path=sip:10.10.0.20:6060"


def test_a_legs_record_counts_and_carries_the_call_sid() -> None:
    variables = variables_of(replace(LEG, headers={"X-Custom": "a b"}, variables={"cgr_account": "account"}))
    assert variables["record_cdr"] == "true"
    assert variables["sip_h_X-Somleng-CallSid"] == "sid-1"
    assert variables["sip_h_X-Custom"] == "a b"
    assert variables["cgr_account"] == "account"
    assert variables["origination_uuid"] == LEG.uuid
    assert variables["sip_term_status"] == "480"


def test_credentials_are_given_and_not_shown() -> None:
    leg = replace(LEG, credentials=SipCredentials("alice", "s3cret#1"))
    assert variables_of(leg)["sip_auth_password"] == "s3cret#1"
    assert "s3cret#1" not in repr(leg)


@pytest.mark.parametrize(
    "change",
    [
        {"address": "1@host,sofia/nat_gateway/2@elsewhere"},
        {"address": "1@host|error/user_busy"},
        {"address": "[origination_uuid=x]1@host"},
        {"address": "1@host &park()"},
        {"address": "${system(id)}@host"},
        {"address": "host-without-user"},
        {"address": "1@host\nX-Header: y"},
        {"address": "1@host;fs_path=sip:elsewhere"},
        {"proxy": "10.0.0.1:5060;fs_path=sip:elsewhere"},
        {"profile": "nat_gateway/1@elsewhere"},
        {"uuid": "a b"},
    ],
)
def test_an_address_that_could_mean_more_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(MediaServerError, match="cannot be dialled"):
        endpoint_of(replace(LEG, **change))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["X-A,origination_uuid", "X A", "X]", ""])
def test_a_header_name_that_could_mean_more_is_refused(name: str) -> None:
    with pytest.raises(MediaServerError, match="name"):
        variables_of(replace(LEG, headers={name: "value"}))


@pytest.mark.parametrize("value", ["a,b=c", "a:_:sofia/x/b", "a]", "${b}", "a'b", "a\nb"])
def test_a_value_that_cannot_be_written_is_named_and_not_shown(value: str) -> None:
    with pytest.raises(MediaServerError) as caught:
        bracketed({"sip_auth_password": value}, "[]", spaces=True)
    assert "sip_auth_password" in str(caught.value)
    assert value not in str(caught.value)


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), st.text(min_size=1, max_size=30), max_size=3))
def test_brackets_have_the_variables_that_were_meant_or_nothing_is_written(values: dict[str, str]) -> None:
    try:
        written = bracketed(values, "{}", spaces=False)
    except MediaServerError:
        return
    assert re.fullmatch(r"\{[^{} ]*\}", written)
    parts = [part for part in written[1:-1].split(",") if part]
    read = {name: value.replace(r"\s", " ") for name, _, value in (part.partition("=") for part in parts)}
    assert read == values
