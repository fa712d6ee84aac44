"""A platform, and clients of it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from switch_app.backoff import Backoff
from switch_app.call_platform.api import Api
from switch_app.call_platform.client import PlatformClient
from switch_app.call_platform.password import FixedPassword
from tests.fakes.call_platform import CallPlatform as FakePlatform

SHORT = Backoff(first=0.01, longest=0.02)


@pytest.fixture
def fake() -> Iterator[FakePlatform]:
    with FakePlatform("services", "пароль") as running:
        running.add_call("call", "channel")
        yield running


@pytest.fixture
async def api(fake: FakePlatform) -> AsyncIterator[Api]:
    api = Api(fake.url, "services", FixedPassword("пароль"), backoff=SHORT, seconds=1.0)
    yield api
    await api.close()


@pytest.fixture
async def client(api: Api) -> PlatformClient:
    return PlatformClient(api)
