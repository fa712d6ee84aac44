"""The sidecar's environment."""

import pytest

from freeswitch_event_logger.settings import Settings

REQUIRED = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "CALL_PLATFORM_HOST": "https://services.somleng.org",
    "CALL_PLATFORM_PASSWORD_PARAMETER": "somleng.production.services_password",
    "EVENT_SOCKET_PASSWORD": "secret",
}


@pytest.mark.parametrize(("given", "region"), [({}, "us-east-1"), ({"_REGION": "ap-southeast-1"}, "ap-southeast-1")])
def test_the_password_is_in_the_region_that_is_said_or_in_its_own(given: dict[str, str], region: str) -> None:
    variables = {f"CALL_PLATFORM_PASSWORD_PARAMETER{name}": value for name, value in given.items()}
    assert Settings.from_environment({**REQUIRED, **variables}).platform_password_region == region
