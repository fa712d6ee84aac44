import base64

import pytest

from tests.containers.switch_app.switch import CALL, PASSWORD, USERNAME, Switch


@pytest.mark.parametrize(
    "credentials",
    [
        ("username", "wrong-password"),
        (USERNAME, "wrong-password"),
        ("username", PASSWORD),
        (USERNAME, ""),
        (USERNAME, f"{PASSWORD}:"),
        None,
    ],
)
@pytest.mark.parametrize(("method", "path"), [("POST", "/calls"), ("DELETE", "/calls/a"), ("GET", "/anything")])
async def test_refuses_whoever_is_not_the_platform(
    switch: Switch, method: str, path: str, credentials: tuple[str, str] | None
) -> None:
    status, _ = await switch.request(method, path, credentials=credentials, json=dict(CALL))
    assert status == 401
    assert switch.telephony.legs == []


async def test_asks_for_credentials(switch: Switch) -> None:
    async with switch.http.post(f"{switch.url}/calls") as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"] == 'Basic realm="Protected Area"'


@pytest.mark.parametrize(
    "header", ["Basic", "Basic !!", "Bearer x", "Basic ÿ", "basic ", "Basic " + base64.b64encode(b"\xff").decode()]
)
async def test_refuses_headers_that_are_none(switch: Switch, header: str) -> None:
    async with switch.http.delete(f"{switch.url}/calls/a", headers={"Authorization": header}) as response:
        assert response.status == 401


async def test_the_scheme_has_any_case(switch: Switch) -> None:
    encoded = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
    async with switch.http.delete(f"{switch.url}/calls/a", headers={"Authorization": f"bAsIc {encoded}"}) as response:
        assert response.status == 204
