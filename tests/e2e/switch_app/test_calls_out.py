"""Calls that go out: what the callee sees, what is told of them, and the one record that counts (contract C2)."""

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from switch_app.call import Leg, Silence, SipCredentials
from switch_app.errors import MediaServerError
from switch_app.freeswitch.telephony import CANCELLED, FreeSwitch
from tests.e2e.switch_app.conftest import Handler, record_of
from tests.support.freeswitch import NAT_INSTANCE_IP, FreeSwitchProcess
from tests.support.phone import Phone, PhoneCall


def leg_to(phone: Phone, **changes: Any) -> Leg:
    leg = Leg(str(uuid.uuid4()), f"85512334667@{phone.address}", "nat_gateway", "2442", str(uuid.uuid4()))
    return replace(leg, **changes)


async def test_a_call_that_is_answered(
    freeswitch_process: FreeSwitchProcess, telephony: FreeSwitch, handler: Handler, phone: Phone
) -> None:
    leg = leg_to(phone)
    await telephony.originate(leg, 10)
    callee = await phone.next_call()
    callee.ring()
    await asyncio.sleep(0.2)
    assert handler.kinds(leg.uuid) == ["ringing"]
    await callee.answer()
    call = await handler.next_call()
    assert (call.uuid, call.is_answered) == (leg.uuid, True)
    await call.play([Silence(1)])
    await call.hangup()
    record = await record_of(freeswitch_process, leg.call_sid)
    assert (record["sip_term_status"], record["direction"], record["uuid"]) == ("200", "outbound", leg.uuid)
    assert int(record["answer_epoch"]) > 0
    assert int(record["billsec"]) >= 1
    assert record["sip_h_X-Somleng-CallSid"] == leg.call_sid
    await handler.until_completed(leg.uuid)
    assert handler.kinds(leg.uuid) == ["ringing", "answered", "completed"]
    completed = handler.events[-1].variables
    assert completed == {"sip_term_status": "200", "answer_epoch": record["answer_epoch"]}


async def test_what_a_callee_sees(telephony: FreeSwitch, phone: Phone, freeswitch_process: FreeSwitchProcess) -> None:
    leg = leg_to(phone, headers={"X-Custom": "a value"})
    await telephony.originate(leg, 10)
    callee = await phone.next_call()
    invite = callee.messages[0]
    assert invite.header("X-Somleng-CallSid") == leg.call_sid
    assert invite.header("X-Custom") == "a value"
    assert not [line for line in invite.text.splitlines() if line.startswith("X-Somleng") and "CallSid" not in line]
    assert invite.header("User-Agent") == "SomlengSWITCH"
    assert ";rport;" in invite.header("Via")
    assert "2442@" in invite.header("From")
    assert f"c=IN IP4 {freeswitch_process.address}\n" in invite.body
    offered = [line.partition(" ")[2] for line in invite.body.splitlines() if line.startswith("a=rtpmap:")]
    codecs = [name for name in offered if "telephone-event" not in name]
    wanted = ["G729/8000", "G722/8000", "PCMU/8000", "PCMA/8000", "GSM/8000"]
    # G.722 and GSM are in mod_spandsp, which not every machine has; the production image does.
    assert codecs in (wanted, [name for name in wanted if name not in ("G722/8000", "GSM/8000")])
    callee.refuse("486 Busy Here")


async def test_a_call_by_the_nat_instance_says_so(telephony: FreeSwitch, phone: Phone) -> None:
    await telephony.originate(leg_to(phone, profile="uac_nat_instance"), 10)
    callee = await phone.next_call()
    assert f"c=IN IP4 {NAT_INSTANCE_IP}\n" in callee.messages[0].body
    assert NAT_INSTANCE_IP in callee.messages[0].contact
    callee.refuse("486 Busy Here")


async def test_a_call_through_a_proxy(
    telephony: FreeSwitch, phone: Phone, freeswitch_process: FreeSwitchProcess
) -> None:
    await telephony.originate(leg_to(phone, address="016701722@192.0.2.77:1619", proxy=f"{phone.address}:5060"), 10)
    callee = await phone.next_call()
    assert callee.messages[0].request_uri.startswith("sip:016701722@192.0.2.77:1619")
    assert "fs_path" not in callee.messages[0].text
    callee.refuse("486 Busy Here")


def refuse(status: str) -> Callable[[PhoneCall], None]:
    return lambda callee: callee.refuse(status)


@pytest.mark.parametrize(
    ("act", "status", "cause"),
    [
        (refuse("486 Busy Here"), "486", "USER_BUSY"),
        (refuse("603 Decline"), "603", "CALL_REJECTED"),
        (refuse("480 Temporarily Unavailable"), "480", "NO_USER_RESPONSE"),
        (refuse("404 Not Found"), "404", "UNALLOCATED_NUMBER"),
        (refuse("503 Service Unavailable"), "503", "NORMAL_TEMPORARY_FAILURE"),
        (PhoneCall.ring, "480", "NO_ANSWER"),
    ],
    ids=["busy", "declined", "unavailable", "unknown", "failing", "rings"],
)
async def test_a_call_that_is_not_answered(
    freeswitch_process: FreeSwitchProcess,
    telephony: FreeSwitch,
    handler: Handler,
    phone: Phone,
    act: Callable[[PhoneCall], None],
    status: str,
    cause: str,
) -> None:
    leg = leg_to(phone)
    await telephony.originate(leg, 1)
    act(await phone.next_call())
    record = await record_of(freeswitch_process, leg.call_sid)
    assert (record["sip_term_status"], record["answer_epoch"], record["hangup_cause"]) == (status, "0", cause)
    await handler.until_completed(leg.uuid)
    assert handler.kinds(leg.uuid) == (["ringing"] if status == "480" and cause == "NO_ANSWER" else []) + ["completed"]
    assert handler.events[-1].variables == {"sip_term_status": status}
    assert handler.calls.empty()


async def test_a_call_that_is_called_off(
    freeswitch_process: FreeSwitchProcess, telephony: FreeSwitch, handler: Handler, phone: Phone
) -> None:
    leg = leg_to(phone)
    await telephony.originate(leg, 10)
    callee = await phone.next_call()
    callee.ring()
    assert await telephony.hangup(leg.uuid, CANCELLED)
    record = await record_of(freeswitch_process, leg.call_sid)
    assert "sip_term_status" not in record
    assert (record["sip_invite_failure_status"], record["answer_epoch"]) == ("487", "0")
    await asyncio.wait_for(callee.ended.wait(), 2)
    assert callee.final.result() == 487


async def test_a_call_that_is_ended_for_another_reason_counts_as_not_answered(
    freeswitch_process: FreeSwitchProcess, telephony: FreeSwitch, phone: Phone
) -> None:
    leg = leg_to(phone)
    await telephony.originate(leg, 10)
    (await phone.next_call()).ring()
    assert await telephony.hangup(leg.uuid)
    assert (await record_of(freeswitch_process, leg.call_sid))["sip_term_status"] == "480"


async def test_an_answered_call_that_is_called_off_stays_completed(
    freeswitch_process: FreeSwitchProcess, telephony: FreeSwitch, handler: Handler, phone: Phone
) -> None:
    leg = leg_to(phone)
    await telephony.originate(leg, 10)
    callee = await phone.next_call()
    await callee.answer()
    call = await handler.next_call()
    assert await telephony.hangup(leg.uuid, CANCELLED)
    await asyncio.wait_for(call.wait_until_ended(), 2)
    record = await record_of(freeswitch_process, leg.call_sid)
    assert (record["sip_term_status"], record["answer_epoch"] != "0") == ("200", True)


async def test_nobody_at_the_address(
    freeswitch_process: FreeSwitchProcess, telephony: FreeSwitch, phone: Phone
) -> None:
    leg = leg_to(phone, address=f"1@{phone.address}:5999")
    await telephony.originate(leg, 10)
    record = await record_of(freeswitch_process, leg.call_sid)
    assert record["sip_term_status"] in ("408", "503")


@pytest.mark.parametrize(
    "changes",
    [{"profile": "no_such_profile"}, {"address": "1@host,error/busy"}, {"headers": {"X-A": "a]b"}}],
    ids=["profile", "address", "header"],
)
async def test_a_leg_that_cannot_be_made(telephony: FreeSwitch, handler: Handler, phone: Phone, changes: Any) -> None:
    leg = leg_to(phone, **changes)
    with pytest.raises(MediaServerError):
        await telephony.originate(leg, 10)
    assert handler.kinds(leg.uuid) == []


async def test_a_call_that_is_not_there_is_not_hung_up(telephony: FreeSwitch) -> None:
    assert not await telephony.hangup(str(uuid.uuid4()))
    assert not await telephony.hangup("a b\napi shutdown")


async def test_a_password_is_used_for_a_callee_that_asks_for_it(telephony: FreeSwitch, phone: Phone) -> None:
    await telephony.originate(leg_to(phone, credentials=SipCredentials("alice", "s3cret")), 10)
    callee = await phone.next_call()
    challenge = [("WWW-Authenticate", 'Digest realm="test", nonce="1", algorithm=MD5')]
    callee.respond_once("401 Unauthorized", challenge)
    async with asyncio.timeout(3):
        while not [message for message in callee.messages if message.headers("Authorization")]:
            await asyncio.sleep(0.02)
    invite = next(message for message in callee.messages if message.headers("Authorization"))
    assert 'username="alice"' in invite.header("Authorization")
