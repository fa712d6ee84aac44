"""The client of the services API against the fake platform."""

import json
import socket

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from switch_app.backoff import Backoff
from switch_app.call_platform.api import Api
from switch_app.call_platform.client import InboundCall, PlatformClient
from switch_app.call_platform.password import FixedPassword, ParameterPassword
from switch_app.errors import PlatformRefused, PlatformUnavailable
from switch_app.telephony import CallEvent, CallEventKind
from tests.fakes.call_platform import CallPlatform as FakePlatform

INBOUND = InboundCall(
    to="1294",
    sender="+85512234567",
    external_id="3c4f7f6e",
    host="10.10.1.13",
    source_ip="27.109.112.140",
    region="hydrogen",
    variables={"sip_from_host": "27.109.112.140"},
)


async def test_an_inbound_call_is_asked_about(client: PlatformClient, fake: FakePlatform) -> None:
    fake.numbers = {"1294": {"voice_method": "GET"}}
    properties = await client.create_inbound_call(INBOUND)
    assert (properties.to, properties.sender, properties.voice_method) == ("1294", "+85512234567", "GET")
    assert fake.inbound_calls == [
        {
            "to": "1294",
            "from": "+85512234567",
            "external_id": "3c4f7f6e",
            "host": "10.10.1.13",
            "source_ip": "27.109.112.140",
            "region": "hydrogen",
            "client_identifier": None,
            "variables": {"sip_from_host": "27.109.112.140"},
        }
    ]


async def test_a_refusal_has_its_reason(client: PlatformClient, fake: FakePlatform) -> None:
    fake.numbers = {"2000": {}}
    with pytest.raises(PlatformRefused, match=r"Phone number 1294 does not exist\.") as raised:
        await client.create_inbound_call(INBOUND)
    assert raised.value.status == 422
    assert len(fake.requests) == 1


async def test_calls_for_a_dial_are_made(client: PlatformClient, fake: FakePlatform) -> None:
    fake.routing = {"national_dialing": True}
    calls = await client.create_outbound_calls("call", ["85516701721", "sip:alice@sip.example.com"], None)
    assert [call.routing.destination for call in calls] == ["85516701721", "sip:alice@sip.example.com"]
    assert calls[0].routing.national_dialing
    assert calls[1].routing.address == "alice@sip.example.com"
    assert fake.requests[0].body == {
        "parent_call_sid": "call",
        "destinations": ["85516701721", "sip:alice@sip.example.com"],
    }
    (call,) = await client.create_outbound_calls("call", ["85516701721"], "85523238265")
    assert call.sender == "85523238265"


async def test_a_recording_is_announced_and_finished(client: PlatformClient, fake: FakePlatform) -> None:
    recording = await client.create_recording("call", "https://example.com/callback", "GET")
    url = "https://bucket.s3.ap-southeast-1.amazonaws.com/a-1.wav"
    assert (await client.finish_recording(recording.sid, url, "a-1")).url == recording.url
    assert fake.recordings[recording.sid] == {
        "phone_call_id": "call",
        "status_callback_url": "https://example.com/callback",
        "status_callback_method": "GET",
        "raw_recording_url": url,
        "external_id": "a-1",
    }
    await client.create_recording("call", None, None)
    assert fake.requests[-1].body == {"phone_call_id": "call"}


async def test_events_are_told(client: PlatformClient, fake: FakePlatform) -> None:
    """APP-96."""
    variables = {"sip_term_status": "200", "answer_epoch": "1607752961"}
    await client.note_call_event(CallEvent(CallEventKind.COMPLETED, "channel", variables))
    await client.note_call_event(CallEvent(CallEventKind.RINGING, "channel", {}))
    await client.note_speech("call", "Basic.Kal", 43)
    assert fake.call_events == [
        {"type": "completed", "phone_call": "channel", "variables": variables},
        {"type": "ringing", "phone_call": "channel"},
    ]
    assert fake.tts_events == [{"phone_call": "call", "tts_voice": "Basic.Kal", "num_chars": 43}]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=200))
async def test_a_call_data_record_arrives_as_it_was(client: PlatformClient, fake: FakePlatform, text: str) -> None:
    document = {"variables": {"record_cdr": "true", "uuid": str(len(fake.requests)), "text": text}}
    await client.send_call_data_record(json.dumps(document).replace(":nan", ":\\u006ean"))
    assert fake.call_data_records[-1] == document


async def test_what_changes_nothing_is_sent_until_it_is_taken(client: PlatformClient, fake: FakePlatform) -> None:
    fake.answers = [502, 500]
    await client.note_call_event(CallEvent(CallEventKind.ANSWERED, "channel", {}))
    assert len(fake.call_events) == 1
    fake.answers = [500, 500, 500]
    with pytest.raises(PlatformUnavailable, match="was answered with 500"):
        await client.note_call_event(CallEvent(CallEventKind.ANSWERED, "channel", {}))


async def test_what_makes_something_is_sent_again_only_when_it_was_not_done(
    client: PlatformClient, fake: FakePlatform
) -> None:
    fake.answers = [503, 429]
    await client.create_recording("call", None, None)
    assert len(fake.recordings) == 1
    fake.lost_answers = 1
    with pytest.raises(PlatformUnavailable):
        await client.create_recording("call", None, None)
    assert len(fake.recordings) == 2
    fake.answers = [500]
    with pytest.raises(PlatformUnavailable):
        await client.create_recording("call", None, None)
    assert len(fake.recordings) == 2


async def test_a_lost_answer_is_asked_for_again_where_that_does_no_harm(
    client: PlatformClient, fake: FakePlatform
) -> None:
    recording = await client.create_recording("call", None, None)
    fake.lost_answers = 1
    await client.finish_recording(recording.sid, "https://bucket.example/a-1.wav", "a-1")
    assert fake.recordings[recording.sid]["external_id"] == "a-1"


async def test_a_platform_that_is_too_slow_is_unavailable(client: PlatformClient, fake: FakePlatform) -> None:
    fake.delay = 5.0
    with pytest.raises(PlatformUnavailable, match="TimeoutError"):
        await client.create_inbound_call(INBOUND)
    assert len(fake.requests) == 1


async def test_a_platform_that_is_not_there_is_tried_as_often_as_allowed() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    waits: list[float] = []

    async def pause(seconds: float) -> None:
        waits.append(seconds)

    api = Api(url, "services", FixedPassword("p"), pause=pause, backoff=Backoff(0.4, 2.0, lambda: 1.0))
    try:
        with pytest.raises(PlatformUnavailable, match="ClientConnectorError"):
            await PlatformClient(api).create_inbound_call(INBOUND)
    finally:
        await api.close()
    assert waits == [0.4, 0.8]


class _Parameters:
    """An SSM that counts how often it is read."""

    def __init__(self, fake: FakePlatform) -> None:
        self._fake = fake
        self.reads = 0

    def get_parameter(self, Name: str, WithDecryption: bool) -> dict[str, dict[str, str]]:  # noqa: N803
        assert (Name, WithDecryption) == ("somleng.production.services_password", True)
        self.reads += 1
        return {"Parameter": {"Value": self._fake.password}}


async def test_a_password_is_read_again_once_it_is_refused(fake: FakePlatform) -> None:
    parameters = _Parameters(fake)
    api = Api(fake.url, "services", ParameterPassword(parameters, "somleng.production.services_password"))
    client = PlatformClient(api)
    try:
        await client.create_recording("call", None, None)
        await client.create_recording("call", None, None)
        assert parameters.reads == 1
        fake.password = "another"
        await client.create_recording("call", None, None)
        assert parameters.reads == 2
        assert len(fake.recordings) == 3
    finally:
        await api.close()


async def test_a_wrong_password_is_an_unavailable_platform(fake: FakePlatform) -> None:
    api = Api(fake.url, "services", FixedPassword("wrong"))
    try:
        with pytest.raises(PlatformUnavailable, match="401"):
            await PlatformClient(api).create_recording("call", None, None)
    finally:
        await api.close()


async def test_call_heartbeats_carry_the_uuids(client: PlatformClient, fake: FakePlatform) -> None:
    await client.send_call_heartbeats(["uuid-1", "uuid-2"])
    assert fake.heartbeats == [["uuid-1", "uuid-2"]]
    assert fake.requests[-1].content == b'{"call_ids": ["uuid-1", "uuid-2"]}'
    assert fake.requests[-1].headers["authorization"].startswith("Basic ")


async def test_a_media_stream_is_announced_and_its_events_are_told(client: PlatformClient, fake: FakePlatform) -> None:
    sid = await client.create_media_stream("call", "wss://stream.example.com/a", "inbound", {"foo": "bar"})
    assert fake.media_streams[sid] == {
        "phone_call_id": "call",
        "url": "wss://stream.example.com/a",
        "tracks": "inbound",
        "custom_parameters": {"foo": "bar"},
    }
    await client.note_media_stream_event(sid, "connect", {})
    await client.note_media_stream_event(sid, "disconnect", {"code": 1000})
    assert fake.media_stream_events == [
        {"media_stream_id": sid, "event": {"type": "connect"}},
        {"media_stream_id": sid, "event": {"type": "disconnect", "details": {"code": 1000}}},
    ]


async def test_a_media_stream_of_no_call_is_refused(client: PlatformClient, fake: FakePlatform) -> None:
    with pytest.raises(PlatformRefused) as raised:
        await client.create_media_stream("none", "wss://stream.example.com/a", "both", {})
    assert raised.value.status == 422
    with pytest.raises(PlatformRefused):
        await client.note_media_stream_event("none", "connect", {})
