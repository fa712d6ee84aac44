"""Does what the schedule says: tasks come and go, processes are killed, AWS does not answer, events come again."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from local.errors import StepFailed
from local.processes import Server
from local.soak import views
from local.soak.jobs import Jobs
from local.soak.ledger import Outage
from local.soak.schedule import Disturbance, Kind
from local.soak.truth import Truth
from local.voice.steps.stage import Stage
from local.voice.switch_task import SwitchTask
from tests.support.ecs_cluster import interface_ip

_HEALTHY_SECONDS = 60.0
_END_SECONDS = 60.0
_REPEATED = 2
_RUNS, _PENDING = ("RUNNING", "RUNNING"), ("PENDING", "RUNNING")
_ENDS, _ENDED = ("DEACTIVATING", "STOPPED"), ("STOPPED", "STOPPED")
"""A task's last and desired status, as ECS tells them."""


class Disturbances:
    """Disturbs a system, one thing after another.

    Args:
        stage: the system, and the tasks that run.
        truth: what is to be known of it.
        jobs: who sends messages.
        report: is told what was done, and how it went.

    Attributes:
        outages: the processes that were killed, and when.
        problems: what did not go as it should.
        done: how many disturbances there were.

    """

    def __init__(self, stage: Stage, truth: Truth, jobs: Jobs, report: Callable[[str], None]) -> None:
        self._stage, self._truth, self._jobs, self._report = stage, truth, jobs, report
        self._paper: dict[str, Any] = {}
        self._past: list[Any] = []
        self.outages: list[Outage] = []
        self.problems: list[str] = []
        self.done = 0
        self._acts: dict[Kind, Callable[[Disturbance], Awaitable[str]]] = {
            Kind.JOIN: self._join,
            Kind.DRAIN: self._drain,
            Kind.KILL_SCHEDULER: self._kill,
            Kind.KILL_EVENT_LOGGER: self._kill,
            Kind.KILL_APP: self._kill_part_of_switch,
            Kind.KILL_FREESWITCH: self._kill_part_of_switch,
            Kind.PAUSE_EMULATOR: self._pause,
            Kind.PAPER_TASK: self._paper_task,
            Kind.REPEAT_EVENTS: self._repeat_events,
            Kind.REPEAT_MESSAGES: lambda _: self._jobs.repeat_late(),
            Kind.RECONCILE: lambda _: self._jobs.reconcile(),
        }

    async def run(self, schedule: list[Disturbance]) -> None:
        """Do all that a schedule says, each at its time, or as soon as the one before it is over."""
        begin = time.monotonic()
        for disturbance in schedule:
            await asyncio.sleep(max(0.0, begin + disturbance.at - time.monotonic()))
            at = time.monotonic() - begin
            try:
                seen = await self._acts[disturbance.kind](disturbance)
            except Exception as error:  # noqa: BLE001 - whatever it is, it goes into the ledger
                seen = f"FAILED: {type(error).__name__}: {error}"
                self.problems.append(f"{disturbance}: {error}")
            self.done += 1
            self._report(f"{at:5.0f} s  {disturbance.kind.value} {disturbance.target}: {seen}")

    # --- switches

    async def _join(self, disturbance: Disturbance) -> str:
        stage, name = self._stage, disturbance.target
        began = time.monotonic()
        ecs_task = stage.tasks[name] = await asyncio.to_thread(stage.system.home_cluster.run, "switch")
        address = interface_ip(ecs_task)
        task = await asyncio.to_thread(stage.voice.start_switch, name, address)
        await asyncio.to_thread(task.wait_until_healthy, stage.system.supervisor, _HEALTHY_SECONDS)
        healthy = time.monotonic()
        self._truth.switch_runs(name, address)
        # In the wrong order, and more than once.
        await self._put(ecs_task, 3, times=_REPEATED)
        await self._put(ecs_task, 2, _PENDING)
        await self._until_target(task, there=True)
        return f"healthy after {healthy - began:.1f} s, a target {time.monotonic() - healthy:.1f} s later"

    async def _drain(self, disturbance: Disturbance) -> str:
        stage, name = self._stage, disturbance.target
        task, ecs_task = self._switch(name), stage.tasks.pop(name)
        self._truth.switch_ends(name)
        await asyncio.to_thread(stage.system.home_cluster.stop, ecs_task)
        # As ECS does: the event, and the signals at the same time.
        ending = asyncio.create_task(asyncio.to_thread(stage.voice.end_switch, task, _END_SECONDS))
        began = time.monotonic()
        await self._put(ecs_task, 4, _ENDS)
        await self._until_target(task, there=False)
        left = time.monotonic() - began
        ended = await ending
        await self._put(ecs_task, 5, _ENDED, times=_REPEATED)
        await self._put(ecs_task, 3)  # late
        self._past.append(ecs_task)
        if any(ended.statuses):
            raise StepFailed(f"its containers ended with {ended.statuses}")
        return f"no target after {left:.1f} s, ended after {ended.seconds:.1f} s"

    async def _until_target(self, task: SwitchTask, *, there: bool) -> None:
        uri = f"sip:{task.address}:5060"
        for gateway in (self._stage.voice.public_gateway, self._stage.voice.client_gateway):
            what = f"{task.name} {'' if there else 'not '}to be a target of the {gateway.kind} gateway"
            await self._stage.until(what, gateway.targets, lambda targets: (uri in targets) is there)

    def _switch(self, name: str) -> SwitchTask:
        return next(switch for switch in self._stage.voice.switches if switch.name == name)

    # --- processes

    async def _kill(self, disturbance: Disturbance) -> str:
        return f"healthy again after {await self._restart(disturbance.target):.1f} s"

    async def _kill_part_of_switch(self, disturbance: Disturbance) -> str:
        name = disturbance.target
        address = self._switch("-".join(name.split("-")[:2])).address
        began = time.monotonic()
        try:
            seconds = await self._restart(name)
            for gateway in (self._stage.voice.public_gateway, self._stage.voice.client_gateway):
                what = f"the {gateway.kind} gateway to send calls to {address} again"
                await self._stage.until(what, partial(views.takes_calls, gateway, address))
        finally:
            self.outages.append(Outage(name, address, began, time.monotonic()))
        return f"healthy again after {seconds:.1f} s, given calls again after {time.monotonic() - began:.1f} s"

    async def _restart(self, name: str) -> float:
        """Kill a process, and wait until it was started again and serves; return how many seconds that took."""
        server, began = self._server(name), time.monotonic()
        before = server.pid
        server.tell_all(signal.SIGKILL)

        def is_back() -> bool:
            return server.pid not in (None, before) and server.is_ready()

        await self._stage.until(f"{name} to be healthy again", is_back)
        return time.monotonic() - began

    async def _pause(self, disturbance: Disturbance) -> str:
        emulator = self._server("emulator")
        emulator.tell_all(signal.SIGSTOP)
        try:
            await asyncio.sleep(disturbance.seconds)
        finally:
            emulator.tell_all(signal.SIGCONT)
        return f"for {disturbance.seconds:.1f} s"

    def _server(self, name: str) -> Server:
        return next(server for server in self._stage.system.supervisor.servers if server.name == name)

    # --- events

    async def _paper_task(self, disturbance: Disturbance) -> str:
        """Have a task come of which there is nothing but its entry at ECS, or the one that came before go."""
        family, cluster = disturbance.target, self._stage.system.home_cluster
        rows = self._truth.media_proxies if family == "media-proxy" else self._truth.gateways
        if family in self._paper:
            task = self._paper.pop(family)
            del rows[task["taskArn"]]
            await asyncio.to_thread(cluster.stop, task)
            await self._put(task, 5, _ENDED, times=_REPEATED)
            await self._put(task, 4, _ENDS)
            self._past.append(task)
            return "goes; its last two events came in the wrong order, one of them twice"
        instance = await asyncio.to_thread(cluster.add_instance, public=True)
        task = self._paper[family] = await asyncio.to_thread(cluster.run, family, on=instance)
        await self._put(task, 3, times=_REPEATED)
        if family == "media-proxy":
            self._truth.media_proxies[task["taskArn"]] = instance.private_ip
        else:
            self._truth.gateways[task["taskArn"]] = [instance.private_ip, instance.public_ip or ""]
        return f"comes, at {instance.private_ip}"

    async def _repeat_events(self, _: Disturbance) -> str:
        running = [*self._stage.tasks.values(), *self._paper.values()]
        for task in (*running, *self._past):
            await self._put(task, 3)
            await self._put(task, 2, _PENDING)
        return f"those of {len(running)} tasks that run and {len(self._past)} that ended"

    async def _put(self, task: Any, version: int, statuses: tuple[str, str] = _RUNS, times: int = 1) -> None:
        for _ in range(times):
            await asyncio.to_thread(self._stage.system.task_events.put, task, version, *statuses)
