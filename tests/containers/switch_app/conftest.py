from collections.abc import AsyncIterator

import pytest

from tests.containers.switch_app.switch import Switch, running_switch


@pytest.fixture
async def switch() -> AsyncIterator[Switch]:
    async with running_switch() as switch:
        yield switch
