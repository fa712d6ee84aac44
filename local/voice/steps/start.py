"""The programs start, and ECS tells of their tasks: the gateways' tables come about as in a deployment."""

import asyncio
import time
from functools import partial

from local.steps import Step
from local.voice.steps.stage import Stage
from routing import Table
from tests.support.ecs_cluster import interface_ip

FIRST_SWITCH = "switch-1"


class StartSteps:
    """The steps."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def steps(self) -> list[Step]:
        """Return the steps in their order."""
        return [
            self._stage.step("The tasks so far, on paper only, end", self._end_paper_tasks),
            self._stage.step("The programs that carry calls start", self._start),
            self._stage.step("ECS tells of their tasks", self._tell),
        ]

    async def _start(self) -> str:
        began = time.monotonic()
        voice = self._stage.voice
        await asyncio.to_thread(voice.start)
        await asyncio.to_thread(self._stage.system.home_cluster.add_instance)
        task = self._stage.tasks[FIRST_SWITCH] = await asyncio.to_thread(self._stage.system.home_cluster.run, "switch")
        await asyncio.to_thread(voice.start_switch, FIRST_SWITCH, interface_ip(task))
        await asyncio.to_thread(voice.wait_until_ready)
        count = len(voice.containers)
        seconds = time.monotonic() - began
        return f"{count} containers are healthy after {seconds:.1f} s, on addresses of this machine"

    async def _end_paper_tasks(self) -> str:
        """End the tasks of which there is nothing but an entry at ECS: no gateway is to send calls to them."""
        count = await asyncio.to_thread(self._stop_tasks)
        for table in (Table.LOAD_BALANCER_TARGETS, Table.MEDIA_PROXIES, Table.DOMAINS):
            keys = partial(self._stage.system.keys, table)
            await self._stage.until(f"no rows in {table.value}", keys, lambda found: not found)
        return f"{count} tasks; no targets, media proxies and domains are left"

    def _stop_tasks(self) -> int:
        system, count = self._stage.system, 0
        for cluster in (system.home_cluster, system.second_cluster):
            arns = cluster.ecs.list_tasks(cluster=cluster.name)["taskArns"]
            for task in cluster.ecs.describe_tasks(cluster=cluster.name, tasks=arns)["tasks"] if arns else []:
                cluster.stop(dict(task))
                system.task_events.put(task, version=9, last_status="STOPPED", desired_status="STOPPED")
                count += 1
        return count

    async def _tell(self) -> str:
        stage, voice = self._stage, self._stage.voice
        await asyncio.to_thread(self._run_tasks)
        began = time.monotonic()
        switch = voice.switches[0].address
        targets = [f"sip:{switch}:{port}" for port in (5060, 5080)]
        await self._put(FIRST_SWITCH)
        for gateway in (voice.public_gateway, voice.client_gateway):
            await stage.until(f"the {gateway.kind} gateway's targets", gateway.targets, lambda found: found == targets)
        client = voice.client_gateway
        proxy = f"udp:{voice.media_proxy}:2223"
        await self._put("media-proxy")
        await stage.until("the media proxy at the gateway", client.media_proxies, lambda found: found == [proxy])
        await self._put("client-gateway")
        await stage.until("the domain at the gateway", client.domains, lambda found: client.address in found)
        seconds = time.monotonic() - began
        return f"{seconds:.1f} s from the events to OpenSIPS: {', '.join(targets)}, {proxy}, {client.address}"

    async def _put(self, name: str) -> None:
        await asyncio.to_thread(self._stage.system.task_events.put, self._stage.tasks[name], version=3)

    def _run_tasks(self) -> None:
        """Have ECS run the tasks of programs that use their instance's network, with the addresses that they have."""
        stage, voice = self._stage, self._stage.voice
        cluster = stage.system.home_cluster
        inside = cluster.add_subnet(voice.hosts.others)
        outside = cluster.add_subnet(voice.outside_network) if voice.outside_network else inside
        for family, address, subnet in (
            ("media-proxy", voice.media_proxy, inside),
            ("client-gateway", voice.client_gateway.address, outside),
        ):
            instance = cluster.add_instance(address=address, subnet=subnet)
            stage.tasks[family] = cluster.run(family, on=instance)
