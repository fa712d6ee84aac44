"""The fake call platform against the contract of the services API, resource by resource."""

import base64
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.call_platform import CallPlatform

INBOUND = {
    "to": "1294",
    "from": "+85512234567",
    "external_id": "3c4f7f6e-5d39-4a0b-9c56-0b4f5cc7b2a1",
    "host": "10.10.1.13",
    "source_ip": "27.109.112.140",
    "region": "hydrogen",
    "client_identifier": None,
    "variables": {"sip_from_host": "27.109.112.140"},
}
RECORDED = {"raw_recording_url": "https://bucket.s3.ap-southeast-1.amazonaws.com/a-1.wav", "external_id": "a-1"}


@pytest.fixture
def platform() -> Iterator[CallPlatform]:
    with CallPlatform("services", "password") as running:
        running.add_call("call", "channel")
        yield running


def send(
    platform: CallPlatform,
    path: str,
    body: object,
    method: str = "POST",
    kind: str = "application/json",
) -> tuple[int, Any]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    credentials = base64.b64encode(b"services:password").decode()
    headers = {"Content-Type": kind, "Authorization": f"Basic {credentials}"}
    request = urllib.request.Request(platform.url + path, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            content = answer.read()
            return answer.status, json.loads(content) if content else None
    except urllib.error.HTTPError as error:
        content = error.read()
        return error.code, json.loads(content) if content else None


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/inbound_phone_calls", INBOUND, 201),
        ("/inbound_phone_calls", {**INBOUND, "from": "anonymous"}, 422),
        ("/inbound_phone_calls", {**INBOUND, "from": "12"}, 422),
        ("/inbound_phone_calls", {**INBOUND, "host": "10.10.1.13:80"}, 422),
        ("/inbound_phone_calls", {**INBOUND, "region": "neon"}, 422),
        ("/inbound_phone_calls", {**INBOUND, "external_id": "channel"}, 422),
        ("/outbound_phone_calls", {"parent_call_sid": "call", "destinations": ["85516701721"]}, 201),
        ("/outbound_phone_calls", {"parent_call_sid": "call", "destinations": []}, 422),
        ("/outbound_phone_calls", {"parent_call_sid": "call", "destinations": ["85516701721", "x"]}, 422),
        ("/outbound_phone_calls", {"parent_call_sid": "other", "destinations": ["85516701721"]}, 422),
        ("/outbound_phone_calls", {"parent_call_sid": "call", "destinations": ["85516701721"], "from": None}, 422),
        ("/phone_call_events", {"type": "answered", "phone_call": "channel", "variables": {}}, 201),
        ("/phone_call_events", {"type": "answered", "phone_call": "channel", "variables": None}, 422),
        ("/phone_call_events", {"type": "hung_up", "phone_call": "channel"}, 422),
        ("/tts_events", {"phone_call": "call", "tts_voice": "Basic.Kal", "num_chars": 0}, 201),
        ("/tts_events", {"phone_call": "channel", "tts_voice": "Basic.Kal", "num_chars": 1}, 404),
        ("/tts_events", {"phone_call": "call", "tts_voice": "Basic.Nobody", "num_chars": 1}, 422),
        ("/tts_events", {"phone_call": "call", "tts_voice": "Basic.Kal", "num_chars": -1}, 422),
        ("/recordings", {"phone_call_id": "call"}, 201),
        ("/recordings", {"phone_call_id": "call", "status_callback_url": "https://a.example/b"}, 201),
        ("/recordings", {"phone_call_id": "other"}, 404),
        ("/recordings", {"phone_call_id": "call", "status_callback_url": None}, 422),
        ("/recordings", {"phone_call_id": "call", "status_callback_url": "/relative"}, 422),
        ("/recordings", {"phone_call_id": "call", "status_callback_url": "http://10.0.0.1/a"}, 422),
        ("/recordings", {"phone_call_id": "call", "status_callback_method": "PUT"}, 422),
        ("/media_streams", {"phone_call_id": "call", "url": "wss://a.example", "tracks": "inbound"}, 201),
        ("/media_streams", {"phone_call_id": "other", "url": "wss://a.example", "tracks": "inbound"}, 422),
        ("/media_stream_events", {"media_stream_id": "none", "event": {"type": "start"}}, 422),
        ("/call_heartbeats", {"call_ids": ["channel", "unknown"]}, 204),
        ("/call_heartbeats", {"call_ids": []}, 422),
    ],
)
def test_a_body_is_judged_as_the_contract_says(platform: CallPlatform, path: str, body: Any, status: int) -> None:
    code, answer = send(platform, path, body)
    assert code == status
    assert ("message" in (answer or {})) == (status == 422)


def test_a_body_that_does_not_say_what_it_is_is_not_read(platform: CallPlatform) -> None:
    assert send(platform, "/inbound_phone_calls", INBOUND, kind="text/plain")[0] == 422
    assert platform.inbound_calls == []


def test_a_number_exists_or_does_not(platform: CallPlatform) -> None:
    platform.numbers = {"1294": {"voice_url": None, "twiml": "<Response/>"}}
    assert send(platform, "/inbound_phone_calls", INBOUND)[1]["twiml"] == "<Response/>"
    status, answer = send(platform, "/inbound_phone_calls", {**INBOUND, "to": "99", "external_id": "other"})
    assert (status, answer) == (422, {"message": "Phone number 99 does not exist."})


def test_calls_for_a_dial_come_in_the_order_of_their_destinations(platform: CallPlatform) -> None:
    body = {"parent_call_sid": "call", "destinations": ["85516701721", "sip:alice@sip.example.com"]}
    first, second = send(platform, "/outbound_phone_calls", body)[1]["phone_calls"]
    assert first["routing_parameters"]["destination"] == "85516701721"
    assert first["routing_parameters"]["address"] is None
    assert second["routing_parameters"]["address"] == "alice@sip.example.com"
    assert second["routing_parameters"]["destination"] == "sip:alice@sip.example.com"
    assert {first["sid"], second["sid"]} < set(platform.calls)


def test_an_event_belongs_to_the_call_with_that_external_id(platform: CallPlatform) -> None:
    send(platform, "/phone_call_events", {"type": "ringing", "phone_call": "channel"})
    send(platform, "/phone_call_events", {"type": "completed", "phone_call": "call"})
    assert platform.calls["call"].events == ["ringing"]


def test_a_recording_is_announced_and_then_found(platform: CallPlatform) -> None:
    sid = send(platform, "/recordings", {"phone_call_id": "call"})[1]["sid"]
    assert send(platform, f"/recordings/{sid}", RECORDED, method="PATCH")[1]["url"].endswith(f"/Recordings/{sid}")
    assert send(platform, "/recordings/other", RECORDED, method="PATCH")[0] == 404
    insecure = {**RECORDED, "raw_recording_url": "http://bucket.example/a-1.wav"}
    assert send(platform, f"/recordings/{sid}", insecure, method="PATCH")[0] == 422
    assert platform.recordings[sid] == {"phone_call_id": "call", **RECORDED}


RECORD = {"variables": {"uuid": "a", "record_cdr": "true", "direction": "inbound", "mos": None}}
CDR_TYPE = "application/x-www-form-base64-encoded"


def record(text: str) -> bytes:
    return b"cdr=" + urllib.parse.quote(base64.b64encode(text.encode()).decode(), safe="").encode()


def test_a_call_data_record_is_decoded_and_kept_once(platform: CallPlatform) -> None:
    text = json.dumps(RECORD, separators=(",", ":")).replace("null", "nan")
    for _ in range(2):
        assert send(platform, "/call_data_records?uuid=a", record(text), kind=CDR_TYPE)[0] == 204
    assert platform.call_data_records == [RECORD]


def test_a_record_of_a_leg_that_does_not_count_is_not_kept(platform: CallPlatform) -> None:
    assert send(platform, "/call_data_records", record('{"variables":{"uuid":"b"}}'), kind=CDR_TYPE)[0] == 204
    assert platform.call_data_records == []


def test_a_call_data_record_says_what_it_is(platform: CallPlatform) -> None:
    assert send(platform, "/call_data_records", record("{}"), kind="application/json")[0] == 415
    assert send(platform, "/call_data_records", b"cdr=%2B", kind=CDR_TYPE)[0] == 422


def test_an_answer_can_get_lost(platform: CallPlatform) -> None:
    platform.lost_answers = 1
    with pytest.raises((ConnectionError, OSError)):
        send(platform, "/recordings", {"phone_call_id": "call"})
    assert len(platform.recordings) == 1
