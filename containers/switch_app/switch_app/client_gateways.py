"""Where clients are that registered at a client gateway: the services function knows."""

import asyncio
import json
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from switch_app.errors import PlatformRefused, PlatformUnavailable

logger = logging.getLogger(__name__)

_THREADS: Final = 4
_SECONDS: Final = 10.0
_NOT_FOUND: Final = 404


@dataclass(frozen=True, slots=True)
class ClientContact:
    """Where a client is to be called.

    Attributes:
        address: the destination at the client's contact, `016701722@45.118.77.153:1619`.
        proxy: `host:port` of the gateway that the client registered at.

    """

    address: str
    proxy: str


class ClientGateways:
    """The client gateways.

    Args:
        lambda_client: a boto3 client of the function's region.
        function: ARN of the services function.
        seconds: how long an answer may take.

    """

    def __init__(self, lambda_client: Any, function: str, seconds: float = _SECONDS) -> None:
        self._client, self._function, self._seconds = lambda_client, function, seconds
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="client-gateways")

    async def close(self) -> None:
        """End; what is asked still is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def contact(self, client_identifier: str, destination: str) -> ClientContact:
        """Return where a number is to be dialled that a client answers.

        Raises:
            PlatformRefused: when the client is not registered.
            PlatformUnavailable: when the function does not say.

        """
        payload = {
            "serviceAction": "BuildClientGatewayDialString",
            "parameters": {"client_identifier": client_identifier, "destination": destination},
        }
        invoking = asyncio.get_running_loop().run_in_executor(self._threads, self._invoke, json.dumps(payload).encode())
        try:
            async with asyncio.timeout(self._seconds):
                answer = await invoking
        except TimeoutError:
            raise PlatformUnavailable(f"the services function takes more than {self._seconds:g} seconds") from None
        except (BotoCoreError, ClientError, ValueError) as error:
            raise PlatformUnavailable(f"the services function does not answer: {error}") from error
        address, proxy = answer.get("destination_address"), answer.get("proxy_address")
        if address is None or proxy is None:
            raise PlatformRefused(f"the client {client_identifier!r} is not registered", _NOT_FOUND)
        return ClientContact(str(address), str(proxy))

    def _invoke(self, payload: bytes) -> Mapping[str, Any]:
        answer = self._client.invoke(FunctionName=self._function, Payload=payload)
        content = json.loads(answer["Payload"].read())
        if answer.get("FunctionError") or not isinstance(content, dict):
            raise ValueError(f"it failed with {str(content)[:300]}")
        return content
