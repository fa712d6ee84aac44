"""Keeps the catalogue of voices true to what Polly has."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from switch_app.backoff import Backoff
from switch_app.voices.catalogue import Catalogue, Voice, polly_voices

logger = logging.getLogger(__name__)

_REFRESH_SECONDS: Final = 6 * 3600.0
_FIRST_SECONDS: Final = 5.0
_BACKOFF: Final = Backoff(first=5.0, longest=600.0)
_PAGES_MAXIMUM: Final = 50


class PollyVoices:
    """The voices, asked for at the start and again every few hours. As long as Polly does not answer, there are those
    that it had, or none but the media server's.

    Args:
        client: a boto3 client of Polly's; None for a switch without Polly.
        refresh: seconds after which they are asked for again.
        backoff: how long to wait after a failure.

    """

    def __init__(self, client: Any | None, refresh: float = _REFRESH_SECONDS, backoff: Backoff = _BACKOFF) -> None:
        self._client, self._refresh, self._backoff = client, refresh, backoff
        self._catalogue = Catalogue()
        self._task: asyncio.Task[None] | None = None

    @property
    def catalogue(self) -> Catalogue:
        """The voices as far as they are known."""
        return self._catalogue

    async def start(self) -> None:
        """Ask, wait a little while for the answer, and go on asking."""
        if self._client is None:
            return
        first = asyncio.Event()
        self._task = asyncio.create_task(self._run(first))
        try:
            async with asyncio.timeout(_FIRST_SECONDS):
                await first.wait()
        except TimeoutError:
            logger.warning("Polly does not say in time which voices it has")

    async def close(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, first: asyncio.Event) -> None:
        failures = 0
        while True:
            try:
                self._catalogue = Catalogue(await asyncio.to_thread(self._describe))
                failures = 0
            except (BotoCoreError, ClientError, KeyError) as error:
                failures += 1
                logger.warning("Polly does not say which voices it has", extra={"reason": str(error)})
            first.set()
            await asyncio.sleep(self._backoff.seconds(failures) if failures else self._refresh)

    def _describe(self) -> Sequence[Voice]:
        described: list[Any] = []
        arguments: dict[str, str] = {}
        for _ in range(_PAGES_MAXIMUM):
            answer = self._client.describe_voices(**arguments)  # type: ignore[union-attr]
            described += answer["Voices"]
            if not answer.get("NextToken"):
                break
            arguments = {"NextToken": answer["NextToken"]}
        return polly_voices(described)
