"""The fake call platform against what is known of the real one: its answers by status, path and credentials."""

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.call_platform import CallPlatform

CAPACITY = {"region": "hydrogen", "capacity": 2}


@pytest.fixture
def platform() -> Iterator[CallPlatform]:
    with CallPlatform("services", "password") as running:
        yield running


def send(
    platform: CallPlatform,
    body: Any = None,
    path: str = "/call_service_capacities",
    method: str = "POST",
    credentials: str | None = "services:password",
) -> tuple[int, dict[str, str]]:
    headers = {"Content-Type": "application/json"}
    if credentials is not None:
        headers["Authorization"] = f"Basic {base64.b64encode(credentials.encode()).decode()}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(platform.url + path, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, dict(answer.headers)
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers)


def test_a_capacity_is_taken(platform: CallPlatform) -> None:
    assert send(platform, CAPACITY)[0] == 200
    assert send(platform, {"region": "helium", "capacity": 0})[0] == 200
    assert platform.capacities == [("hydrogen", 2), ("helium", 0)]


@pytest.mark.parametrize("credentials", [None, "services:wrong", "wrong:password", ""])
def test_wrong_credentials_are_refused(platform: CallPlatform, credentials: str | None) -> None:
    status, headers = send(platform, CAPACITY, credentials=credentials)
    assert status == 401
    assert headers["WWW-Authenticate"].startswith("Basic realm=")
    assert platform.capacities == []


@pytest.mark.parametrize(
    "body",
    [
        {"region": "hydrogen"},
        {"capacity": 2},
        {"region": "hydrogen", "capacity": -1},
        {"region": "hydrogen", "capacity": "2"},
        {"region": "hydrogen", "capacity": True},
        [],
    ],
)
def test_a_wrong_capacity_is_not_taken(platform: CallPlatform, body: Any) -> None:
    assert send(platform, body)[0] == 422
    assert platform.capacities == []


def test_there_is_nothing_else(platform: CallPlatform) -> None:
    assert send(platform, CAPACITY, path="/call_service_capacity")[0] == 404
    assert send(platform, method="GET")[0] == 404


def test_answers_can_be_made_to_fail(platform: CallPlatform) -> None:
    platform.answers = [503]
    assert send(platform, CAPACITY)[0] == 503
    assert send(platform, CAPACITY)[0] == 200
    assert platform.capacities == [("hydrogen", 2)]
    assert [request.body for request in platform.requests] == [CAPACITY, CAPACITY]
