"""The ECS agent's task protection, as its documentation has it.

Source: "Amazon ECS task scale-in protection endpoint",
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection-endpoint.html
"""

import datetime
import json
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

TASK_ARN = "arn:aws:ecs:ap-southeast-1:111122223333:task/somleng-switch/1234567890abcdef0"
_DEFAULT_MINUTES = 120


@dataclass
class EcsAgent:
    """An agent, as a context: while it lasts, it answers at `uri`.

    Attributes:
        refusals: what it answers next, status and body, instead of what a request deserves.
        requests: bodies of the requests that were as they should be.
        expires_in: minutes that the task is protected for; None while it is not.

    """

    refusals: list[tuple[int, Any]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    expires_in: int | None = None
    uri: str = ""

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_put("/api/task-1/task-protection/v1/state", self._put)
        application.router.add_get("/api/task-1/task-protection/v1/state", self._get)
        self._runner = web.AppRunner(application)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.uri = f"http://127.0.0.1:{self._runner.addresses[0][1]}/api/task-1"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    @property
    def is_protected(self) -> bool:
        """Whether the task is protected."""
        return self.expires_in is not None

    async def _put(self, request: web.Request) -> web.Response:
        try:
            body = json.loads(await request.read())
        except ValueError:
            body = None
        problem = _problem(body)
        if problem is not None:
            return web.json_response({"error": {"Code": "InvalidParameterException", "Message": problem}}, status=400)
        self.requests.append(body)
        if self.refusals:
            status, refusal = self.refusals.pop(0)
            return web.json_response(refusal, status=status)
        self.expires_in = body.get("ExpiresInMinutes", _DEFAULT_MINUTES) if body["ProtectionEnabled"] else None
        return web.json_response(self._state())

    async def _get(self, request: web.Request) -> web.Response:
        return web.json_response(self._state())

    def _state(self) -> dict[str, Any]:
        protection: dict[str, Any] = {
            "ProtectionEnabled": self.is_protected,
            "TaskArn": TASK_ARN,
            "ExpirationDate": None,
        }
        if self.expires_in is not None:
            expiry = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=self.expires_in)
            protection["ExpirationDate"] = expiry.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {"protection": protection}


def _problem(body: Any) -> str | None:
    if not isinstance(body, dict):
        return "the body is no JSON object"
    if set(body) - {"ProtectionEnabled", "ExpiresInMinutes"}:
        return "unknown parameter"
    if type(body.get("ProtectionEnabled")) is not bool:
        return "ProtectionEnabled must be a boolean"
    minutes = body.get("ExpiresInMinutes", 1)
    if type(minutes) is not int or not 1 <= minutes <= 2880:
        return "ExpiresInMinutes must be from 1 to 2880"
    return None
