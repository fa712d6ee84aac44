"""Keeps ECS from ending this task for a scale-in or a deployment while calls live.

Source: "Amazon ECS task scale-in protection endpoint",
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection-endpoint.html
"""

import asyncio
import itertools
import logging
from typing import Final

import aiohttp

from switch_app.calls.live_calls import LiveCalls
from switch_app.errors import TaskProtectionFailed

logger = logging.getLogger(__name__)

_EXPIRY_MINUTES: Final = 60
"""ECS takes 1 to 2880. An app that dies without a word keeps its task for no longer than this."""

_RENEWAL_SECONDS: Final = _EXPIRY_MINUTES * 60 / 3
"""Two renewals may fail before the protection lapses."""

_IDLE_SECONDS: Final = 10.0
"""A switch between two calls asks ECS for nothing."""

_RETRY_SECONDS: Final = (1.0, 2.0, 5.0, 10.0, 30.0)


class EcsAgent:
    """The ECS agent of this machine, which lets a task protect itself.

    Args:
        uri: `ECS_AGENT_URI`, which ECS sets in every container.
        http: what requests are sent by.

    """

    def __init__(self, uri: str, http: aiohttp.ClientSession) -> None:
        self._url = f"{uri.rstrip('/')}/task-protection/v1/state"
        self._http = http

    async def protect(self, minutes: int) -> None:
        """Have this task protected for some minutes from now on.

        Raises:
            TaskProtectionFailed: saying why it is not.

        """
        await self._put({"ProtectionEnabled": True, "ExpiresInMinutes": minutes})

    async def release(self) -> None:
        """Have this task protected no longer.

        Raises:
            TaskProtectionFailed: saying why it still is.

        """
        await self._put({"ProtectionEnabled": False})

    async def _put(self, body: dict[str, object]) -> None:
        try:
            async with self._http.put(self._url, json=body, timeout=aiohttp.ClientTimeout(total=5)) as response:
                answer = await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise TaskProtectionFailed(f"the ECS agent cannot be asked: {type(error).__name__}: {error}") from error
        # ECS tells some refusals with status 200.
        protection = answer.get("protection") if isinstance(answer, dict) else None
        if not isinstance(protection, dict) or protection.get("ProtectionEnabled") is not body["ProtectionEnabled"]:
            raise TaskProtectionFailed(f"the ECS agent answered {response.status}: {str(answer)[:300]}")


class TaskProtection:
    """Protects the task while there are calls, and releases it some seconds after the last.

    Args:
        agent: who protects.
        live_calls: the calls.
        renewal_seconds: between two renewals.
        idle_seconds: without calls, before it is released.
        retry_seconds: how long to wait after each failure in a row; the last counts for all further ones.

    """

    def __init__(
        self,
        agent: EcsAgent,
        live_calls: LiveCalls,
        *,
        renewal_seconds: float = _RENEWAL_SECONDS,
        idle_seconds: float = _IDLE_SECONDS,
        retry_seconds: tuple[float, ...] = _RETRY_SECONDS,
    ) -> None:
        self._agent = agent
        self._live_calls = live_calls
        self._renewal_seconds = renewal_seconds
        self._idle_seconds = idle_seconds
        self._retry_seconds = retry_seconds
        self._is_protected = False

    async def run(self) -> None:
        """Do so until it is cancelled; the task is not left protected then."""
        try:
            while True:
                await self._live_calls.busy.wait()
                while not await self._is_idle_within(await self._protect()):
                    pass
                await self._release()
        finally:
            if self._is_protected:
                await self._release_at_once()

    async def _protect(self) -> float:
        """Protect, trying until it works or there are no calls; return the seconds until that is due again."""
        for failures in itertools.count():
            try:
                self._is_protected = True  # also when it is cancelled before ECS has answered
                await self._agent.protect(_EXPIRY_MINUTES)
            except TaskProtectionFailed as error:
                logger.warning("task is not protected", extra={"reason": str(error), "failures": failures + 1})
                if await self._is_idle_within(self._retry(failures)):
                    break
            else:
                logger.info("task is protected", extra={"minutes": _EXPIRY_MINUTES})
                break
        return self._renewal_seconds

    async def _release(self) -> None:
        """Release, trying until it works or there are calls again."""
        for failures in itertools.count():
            try:
                await self._agent.release()
            except TaskProtectionFailed as error:
                logger.warning("task is still protected", extra={"reason": str(error), "failures": failures + 1})
                await asyncio.sleep(self._retry(failures))
            else:
                logger.info("task is no longer protected")
                self._is_protected = False
                return
            if self._live_calls.busy.is_set():
                return

    async def _release_at_once(self) -> None:
        """Release once, for there is no later; what ECS does not take lapses."""
        try:
            await self._agent.release()
        except TaskProtectionFailed as error:
            logger.warning("task is still protected", extra={"reason": str(error)})
        else:
            logger.info("task is no longer protected")

    async def _is_idle_within(self, seconds: float) -> bool:
        """Wait some seconds, or until there have been no calls for a while; tell whether it is the latter."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    await self._live_calls.idle.wait()
                    try:
                        async with asyncio.timeout(self._idle_seconds):
                            await self._live_calls.busy.wait()
                    except TimeoutError:
                        return True
        except TimeoutError:
            return False

    def _retry(self, failures: int) -> float:
        return self._retry_seconds[min(failures, len(self._retry_seconds) - 1)]
