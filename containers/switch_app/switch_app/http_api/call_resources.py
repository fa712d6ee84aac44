"""`/calls`: calls are made, told to do something else, and ended."""

import uuid
from collections.abc import Callable

from aiohttp import web

from switch_app.calls.call_control import CallControl
from switch_app.calls.originations import Originations
from switch_app.errors import Draining
from switch_app.http_api.request_bodies import read_call, read_json, read_update


class CallResources:
    """The calls, over HTTP.

    Args:
        originations: what makes calls.
        control: what changes and ends them.
        host: the IP address that is told with each call, where requests about it are to be sent.
        is_draining: tells whether no call is to be made any more.

    """

    def __init__(
        self, originations: Originations, control: CallControl, host: str, is_draining: Callable[[], bool]
    ) -> None:
        self._originations = originations
        self._control = control
        self._host = host
        self._is_draining = is_draining

    def add_to(self, application: web.Application) -> None:
        """Serve them."""
        application.router.add_post("/calls", self._create)
        application.router.add_patch("/calls/{id}", self._update)
        application.router.add_delete("/calls/{id}", self._delete)

    async def _create(self, request: web.Request) -> web.Response:
        """Make a call; the answer comes as soon as there is a leg, and does not wait for the callee."""
        properties, routing = read_call(await read_json(request))
        if self._is_draining():
            raise Draining("this switch is about to end and makes no new call")
        channel = await self._originations.originate(properties, routing)
        return web.json_response({"id": channel, "host": self._host})

    async def _update(self, request: web.Request) -> web.Response:
        """Have a call do something else. One that is not known has ended meanwhile: that is no mistake."""
        update = read_update(await read_json(request))
        self._control.update(request.match_info["id"].lower(), update)
        return web.Response(status=204)

    async def _delete(self, request: web.Request) -> web.Response:
        """End a call. One that is not known has ended already."""
        try:
            channel = str(uuid.UUID(request.match_info["id"]))
        except ValueError:
            # No channel has such a name, and the media server's commands are not made of whatever somebody wrote.
            return web.Response(status=204)
        await self._control.hangup(channel)
        return web.Response(status=204)
