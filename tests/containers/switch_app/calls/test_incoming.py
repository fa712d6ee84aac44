"""Calls that come in."""

import asyncio

import pytest

from switch_app.call import Rejection
from switch_app.call_platform.client import InboundCall
from switch_app.errors import PlatformRefused, PlatformUnavailable
from tests.containers.switch_app.switch import CALL, HOST, INBOUND, Switch, properties

SID_HEADER = {"X-Somleng-CallSid": CALL["sid"]}


async def test_tells_the_platform_and_runs_what_it_says(switch: Switch) -> None:
    call = switch.telephony.come(INBOUND)
    await switch.until(lambda: switch.customer.asked)
    assert switch.register.inbound == [
        InboundCall(
            to="1294",
            sender="+85512234567",
            external_id=call.uuid,
            host=HOST,
            source_ip="27.109.112.140",
            region="hydrogen",
            client_identifier=None,
            variables={
                "sip_from_host": "27.109.112.140",
                "sip_to_host": "52.74.4.205",
                "sip_network_ip": "10.10.2.5",
                "sip_via_host": "27.109.112.140",
            },
        )
    ]
    assert switch.customer.asked == [("GET", CALL["voice_url"])]
    assert call.progress_headers == SID_HEADER
    assert not call.is_answered


async def test_names_the_client_that_calls(switch: Switch) -> None:
    switch.telephony.come({**INBOUND, "sip_h_X-Somleng-Client-Identifier": "user1"})
    await switch.until(lambda: switch.register.inbound)
    assert switch.register.inbound[0].client_identifier == "user1"


async def test_app_8_the_call_data_record_counts_once_the_platform_has_the_call(switch: Switch) -> None:
    switch.register.released.clear()
    call = switch.telephony.come(INBOUND)
    await switch.until(lambda: switch.register.inbound)
    assert call.variables_set == {}
    assert call.progress_headers is None
    switch.register.released.set()
    await switch.until(lambda: switch.customer.asked)
    assert call.variables_set == {
        "record_cdr": "true",
        "somleng_call_sid": CALL["sid"],
        "cgr_tenant": CALL["carrier_sid"],
        "cgr_account": CALL["account_sid"],
        "cgr_category": "outbound_calls",
        "cgr_destination": "1294",
        "cgr_reqtype": "*prepaid",
    }


async def test_a_call_that_is_not_charged_says_so(switch: Switch) -> None:
    switch.register.answer = properties(billing_parameters=None)
    call = switch.telephony.come(INBOUND)
    await switch.until(lambda: switch.customer.asked)
    assert call.variables_set["cgr_reqtype"] == "*none"


@pytest.mark.parametrize(
    ("problem", "rejection"),
    [
        (PlatformRefused("Phone number 1294 does not exist.", 422), Rejection.FORBIDDEN),
        (PlatformUnavailable("not reached"), Rejection.UNAVAILABLE),
    ],
)
async def test_refuses_what_the_platform_does_not_take(
    switch: Switch, problem: PlatformRefused | PlatformUnavailable, rejection: Rejection
) -> None:
    switch.register.answer = problem
    call = switch.telephony.come(INBOUND)
    await switch.until(lambda: call.cause)
    assert (call.rejection, call.reject_headers) == (rejection, {})
    await switch.until(lambda: len(switch.live_calls) == 0)
    assert call.variables_set == {}
    assert switch.register.events == []
    assert switch.customer.asked == []


@pytest.mark.parametrize(
    "name", ["sip_h_X-Somleng-Callee-Identity", "sip_h_X-Somleng-Caller-Identity", "sip_h_X-Src-Ip"]
)
async def test_refuses_what_comes_past_the_gateways(switch: Switch, name: str) -> None:
    call = switch.telephony.come({key: value for key, value in INBOUND.items() if key != name})
    await switch.until(lambda: call.cause)
    assert call.rejection == Rejection.FORBIDDEN
    assert switch.register.inbound == []


async def test_a_header_that_only_the_switch_may_set_does_not_open_a_way_around(switch: Switch) -> None:
    """Contract C11: whoever sends it is asked about like everybody."""
    switch.register.answer = PlatformRefused("no", 422)
    call = switch.telephony.come({**INBOUND, "sip_h_X-Somleng-CallDirection": "outbound"})
    await switch.until(lambda: call.cause)
    assert call.rejection == Rejection.FORBIDDEN


async def test_a_caller_who_leaves_while_the_platform_is_asked_is_told_to_it(switch: Switch) -> None:
    switch.register.released.clear()
    call = switch.telephony.come(INBOUND)
    await switch.until(lambda: switch.register.inbound)
    call.end("ORIGINATOR_CANCEL")
    await asyncio.sleep(0.05)
    assert switch.register.events == []
    switch.register.released.set()
    await switch.until(lambda: len(switch.live_calls) == 0)
    assert switch.register.kinds(call.uuid) == ["completed"]
    assert switch.records.unreached == [(CALL["sid"], "ORIGINATOR_CANCEL", 487)]
    assert switch.customer.asked == []


async def test_a_caller_who_leaves_before_a_refusal_is_told_to_nobody(switch: Switch) -> None:
    switch.register.released.clear()
    switch.register.answer = PlatformRefused("no", 422)
    call = switch.telephony.come(INBOUND)
    await switch.until(lambda: switch.register.inbound)
    call.end("ORIGINATOR_CANCEL")
    switch.register.released.set()
    await switch.until(lambda: len(switch.live_calls) == 0)
    assert switch.register.events == []
    assert switch.records.unreached == []
