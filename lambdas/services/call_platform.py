"""The platform's services API, as far as this function uses it."""

import base64
import json
from collections.abc import Callable

import urllib3

from lambdas.services.errors import CallPlatformError
from lambdas.services.settings import CallPlatformSettings

_CONNECT_SECONDS = 3.0
_READ_SECONDS = 10.0


class CallPlatform:
    """A client of the services API.

    Args:
        settings: where it is and who asks.
        password: returns the password; called with True when the one it returned last was refused.

    """

    def __init__(self, settings: CallPlatformSettings, password: Callable[[bool], str]) -> None:
        self._settings = settings
        self._password = password
        # No retry here: the queue retries the whole message, later and with a fresh count.
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS), retries=False, maxsize=2
        )

    def update_capacity(self, region_alias: str, capacity: int) -> None:
        """Tell the platform how many switches run in a region.

        Raises:
            CallPlatformError: when it cannot be reached or does not answer 2xx.

        """
        self._post("/call_service_capacities", {"region": region_alias, "capacity": capacity})

    def _post(self, path: str, body: dict[str, object]) -> None:
        status = self._request(path, body, refresh_password=False)
        if status == 401:
            # The password may have been rotated since it was cached.
            status = self._request(path, body, refresh_password=True)
        if not 200 <= status < 300:
            raise CallPlatformError(f"POST {self._settings.host}{path} was answered with {status}")

    def _request(self, path: str, body: dict[str, object], *, refresh_password: bool) -> int:
        credentials = f"{self._settings.username}:{self._password(refresh_password)}".encode()
        try:
            response = self._pool.request(
                "POST",
                f"{self._settings.host}{path}",
                body=json.dumps(body).encode(),
                headers={
                    "Accept": "application/json",
                    "Content-Type": "application/json",
                    "User-Agent": "somleng-switch-services",
                    # UTF-8 as RFC 7617, section 2.1, advises; urllib3's own helper knows only Latin-1.
                    "Authorization": f"Basic {base64.b64encode(credentials).decode()}",
                },
                redirect=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise CallPlatformError(
                f"POST {self._settings.host}{path} failed: {type(error).__name__}: {error}"
            ) from error
        return response.status
