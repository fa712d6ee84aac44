"""What the handler does with events that are none of its own, and with a wrong environment."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdas.services.errors import InvalidEvent, InvalidSetting, ServicesError, UnknownEvent
from routing import RoutingError, Table
from tests.lambdas.services.conftest import Services
from tests.support.ecs_events import task_event
from tests.support.queue_events import failed, job, queue_event
from tests.support.routing_tables import all_rows
from tests.support.services_environment import REGION_DATA


@pytest.mark.parametrize(
    ("event", "named"),
    [
        ({}, "no event of this function"),
        ([], "list"),
        ("hello", "str"),
        (None, "NoneType"),
        ({"source": "aws.ec2", "detail-type": "EC2 Instance State-change Notification"}, "aws.ec2"),
        ({"source": "someone", "detail-type": "Scheduled Event"}, "someone"),
        ({"colour": "blue"}, "colour"),
        ({"Records": [{"eventSource": "aws:s3"}]}, "aws:s3"),
        ({"Records": [{}]}, "None"),
    ],
)
def test_an_unknown_event_fails_by_what_it_looks_like(services: Services, event: Any, named: str) -> None:
    with pytest.raises(UnknownEvent, match=named):
        services(event)
    assert [all_rows(table) for table in Table] == [[]] * len(Table)


@pytest.mark.parametrize("records", [None, {}, ["x"], "x"])
def test_records_that_are_no_list_of_objects_fail_by_name(services: Services, records: Any) -> None:
    with pytest.raises(InvalidEvent, match="Records"):
        services({"Records": records})


@pytest.mark.parametrize(("field", "value"), [("detail", None), ("detail", []), ("region", None), ("region", 5)])
def test_a_task_event_without_its_frame_fails_by_the_name_of_the_field(
    services: Services, field: str, value: Any
) -> None:
    with pytest.raises(InvalidEvent, match=field):
        services({**task_event(), field: value})


def test_a_failed_event_is_logged_and_counted(services: Services, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UnknownEvent):
        services({})
    (line,) = services.log
    assert (line["level"], line["message"], line["exception_name"]) == ("ERROR", "event failed", "UnknownEvent")
    assert line["function_request_id"] == "request-1"
    metric = json.loads(capsys.readouterr().out)
    assert metric["EventsFailed"] == [1.0]
    assert metric["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "SomlengSWITCH"


@pytest.mark.parametrize(
    "name",
    [
        "SWITCH_GROUP",
        "MEDIA_PROXY_GROUP",
        "CLIENT_GATEWAY_GROUP",
        "REGION_DATA",
        "QUEUE_URL",
        "CALL_PLATFORM_HOST",
        "CALL_PLATFORM_USERNAME",
        "CALL_PLATFORM_PASSWORD_PARAMETER",
        *(table.environment_variable for table in Table),
    ],
)
def test_a_setting_that_is_missing_fails_by_name(
    services: Services, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv(name)
    with pytest.raises((ServicesError, RoutingError), match=f"{name} is not set"):
        services(task_event())


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("FS_SIP_PORT", "sip", "FS_SIP_PORT is 'sip'"),
        ("MEDIA_PROXY_NG_PORT", "65536", "MEDIA_PROXY_NG_PORT is '65536'"),
        ("FS_EVENT_SOCKET_PORT", "0", "FS_EVENT_SOCKET_PORT is '0'"),
        ("REGION_DATA", "hydrogen", "REGION_DATA is not JSON"),
        ("REGION_DATA", "[]", "REGION_DATA is not a JSON list"),
        ("REGION_DATA", "[5]", r"REGION_DATA\[0\] is not an object"),
        ("REGION_DATA", '[{"identifier": "x"}]', r"REGION_DATA\[0\].alias"),
        ("CALL_PLATFORM_HOST", "services.somleng.org", "CALL_PLATFORM_HOST"),
        ("CALL_PLATFORM_HOST", "http://services.somleng.org", "TLS"),
        ("CALL_PLATFORM_HOST", "https://user:secret@services.somleng.org", "credentials"),
    ],
)
def test_a_wrong_setting_fails_by_name(
    services: Services, monkeypatch: pytest.MonkeyPatch, name: str, value: str, named: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSetting, match=named) as raised:
        services(task_event())
    assert "secret" not in str(raised.value)


def test_ports_come_from_the_environment(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "FS_SIP_PORT": "6060",
        "FS_SIP_ALTERNATIVE_PORT": "6080",
        "FS_EVENT_SOCKET_PORT": "9021",
    }.items():
        monkeypatch.setenv(name, value)
    services(task_event())
    targets = {row["dst_uri"]: row["event_socket"] for row in all_rows(Table.LOAD_BALANCER_TARGETS)}
    assert targets == {"sip:10.1.1.100:6060": "10.1.1.100:9021", "sip:10.1.1.100:6080": "10.1.1.100:9021"}


def test_region_data_may_hold_more_than_is_needed(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGION_DATA", json.dumps([{**region, "colour": "blue"} for region in REGION_DATA]))
    services(task_event())
    assert len(all_rows(Table.LOAD_BALANCER_TARGETS)) == 2


# --- anything at all


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
TASK_FIELDS = (*task_event()["detail"], "containerInstanceArn")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(event=JSON)
def test_no_event_fails_with_anything_but_an_error_that_names_it(services: Services, event: Any) -> None:
    with pytest.raises(ServicesError):
        services(event)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(field=st.sampled_from(TASK_FIELDS), value=JSON)
def test_no_field_of_a_task_event_fails_with_anything_but_an_error_that_names_it(
    services: Services, field: str, value: Any
) -> None:
    event = task_event()
    event["detail"][field] = value
    with suppress(ServicesError):
        services(event)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    job_class=st.sampled_from(
        [
            "CreateOpenSIPSPermissionJob",
            "UpdateOpenSIPSPermissionJob",
            "DeleteOpenSIPSPermissionJob",
            "CreateOpenSIPSSubscriberJob",
            "DeleteOpenSIPSSubscriberJob",
            "NotifySwitchCapacityChangeJob",
        ]
    ),
    arguments=JSON | st.lists(JSON, max_size=3),
)
def test_no_arguments_of_a_job_fail_its_neighbour(services: Services, job_class: str, arguments: Any) -> None:
    body = json.dumps({"job_class": job_class, "job_args": arguments})
    response = services(queue_event(body, job("DeleteOpenSIPSPermissionJob", "192.0.2.1")))
    assert failed(response) in ([], ["m0"])
