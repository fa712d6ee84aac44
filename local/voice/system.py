"""What carries calls, as it runs on this machine: gateways with their schedulers, media proxy, switches, a customer."""

import os
import socket
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Any

from local import servers
from local.containers.container import Container
from local.containers.gateway import gateway
from local.containers.media_proxy import media_proxy
from local.containers.scheduler import scheduler
from local.errors import CommandFailed, LocalError
from local.live_page import write_sources
from local.run_directory import ROOT
from local.system import PASSWORD_PARAMETER, PLATFORM_USER, LocalSystem
from local.voice import facts, nat
from local.voice.customer import customer
from local.voice.documents import Documents
from local.voice.gateway_view import GatewayView
from local.voice.platform import PlatformDesk
from local.voice.programs import NatTools
from local.voice.settings import VoiceSettings
from local.voice.softphone import Softphone
from local.voice.switch_task import SwitchTask

_READY_SECONDS = 45.0
_CUSTOMER_PORT = 8000
_PATH_MAXIMUM = 60
"""Of the run's directory: sockets lie some folders below it, and the path of one may have 107 characters."""


class VoiceSystem:
    """The programs that carry calls.

    Args:
        system: the control plane; it must be deployed when this one starts.
        twiml: a directory with documents of one's own, if any; they go before those of the same name.
        softphone: one that is to reach the client gateway from outside of the run; then there is no router.

    Attributes:
        nat: a client behind a router; None where there can be none.
        without_nat: why there can be none.

    """

    def __init__(self, system: LocalSystem, twiml: Path | None = None, softphone: Softphone | None = None) -> None:
        self.system = system
        self.hosts = system.hosts
        self.nat: nat.Nat | None = None
        self.without_nat = NatTools().reason_not() if softphone is None else "a softphone has no need of it"
        self.softphone = softphone
        self.platform = PlatformDesk(system.platform_url)
        self.containers: list[Container] = []
        self.switches: list[SwitchTask] = []
        self._twiml = twiml
        self._settings: VoiceSettings | None = None

    # --- life

    def start(self) -> None:
        """Start everything but the switches, without waiting until it serves.

        Raises:
            LocalError: saying what is in the way.

        """
        run = self.system.run.path
        if len(str(run)) > _PATH_MAXIMUM:
            raise LocalError(
                f"{run} is too long a path for the sockets in it; name a shorter place with SOMLENG_SWITCH_LOCAL"
            )
        self._settings = VoiceSettings(
            self.system.environment,
            self.system.table_names,
            self.system.platform_url,
            PLATFORM_USER,
            PASSWORD_PARAMETER,
            self.system.bucket,
            self.system.services_function_arn,
            *self.system.switch_credentials,
        )
        if self.without_nat is None:
            self._build_nat()
        self.public_gateway = self._gateway("public", self.hosts.address())
        self.client_gateway = self._gateway("client", self.nat.gateway if self.nat else self._outside)
        self._start_media_proxy()
        self._start_customer()

    def start_switch(self, name: str, address: str) -> SwitchTask:
        """Start a switch's task, without waiting until it is healthy."""
        task = SwitchTask(name, self.system.run.path / name, address, _http_port(address), self._shared)
        task.start(self.system.supervisor, self.system.run.path)
        self.switches.append(task)
        self.containers += task.containers
        self.note_facts()
        return task

    def end_switch(self, task: SwitchTask, seconds: float) -> Any:
        """End a switch's task in ECS's order, and return how it ended."""
        self.switches.remove(task)
        self.containers = [container for container in self.containers if container not in task.containers]
        ended = task.end(self.system.supervisor, seconds)
        self.note_facts()
        return ended

    def wait_until_ready(self) -> None:
        """Wait until everything that was started is healthy."""
        self.system.supervisor.wait_until_ready(_READY_SECONDS)

    def note_facts(self) -> None:
        """Write down where everything is, for the live page and other programs of this machine."""
        facts.write(self)
        write_sources(self.system, self)

    # --- parts

    @property
    def own_documents(self) -> Path:
        """Where documents are edited: one's own directory, or else the customer's."""
        return self._twiml or self.customer.directory

    @property
    def outside_network(self) -> str | None:
        """The network that clients reach the client gateway in; None for that of everything else."""
        if self.nat is not None:
            return self.nat.network
        address = self.softphone.address if self.softphone else None
        return None if address is None else str(IPv4Interface(f"{address}/24").network)

    @property
    def _outside(self) -> str:
        """An address that clients reach."""
        return (self.softphone.address if self.softphone else None) or self.hosts.address()

    @property
    def _shared(self) -> VoiceSettings:
        if self._settings is None:
            raise LocalError("the programs that carry calls are not started yet")
        return self._settings

    def _gateway(self, kind: str, address: str) -> GatewayView:
        state = self.system.run.path / f"{kind}-gateway"
        state.mkdir()
        # Short, so that the demo need not wait; a ring's time is that of production.
        settings = {"ANSWER_TIMEOUT": "3", "PROBE_INTERVAL": "2"}
        if self.softphone is not None:
            settings["DIGEST_ALGORITHMS"] = "MD5"  # many look at the first challenge only, and some know no other
        container = gateway(kind, state, address, settings)
        beside = scheduler(kind, state, address, servers.free_port(), self._shared.of_scheduler)
        self._start(beside, container)
        return GatewayView(kind, address, state)

    def _start_media_proxy(self) -> None:
        private = self.hosts.address()
        public = self.nat.media_proxy if self.nat else self._outside
        self.media_proxy, self.media_proxy_public = private, public
        self._start(media_proxy(private, public))

    def _start_customer(self) -> None:
        folder = self.system.run.path / "documents"
        folder.mkdir()
        address = self.hosts.address()
        self.customer = Documents(folder, f"http://{address}:{_CUSTOMER_PORT}")
        path = {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "layers" / "routing" / "python")))}
        server = customer(self.system.run.path, folder, address, _CUSTOMER_PORT, path, self._twiml)
        self.system.supervisor.start(server)

    def _start(self, *containers: Container) -> None:
        for container in containers:
            self.containers.append(container)
            self.system.supervisor.start(container.server(self.system.run.path))

    def _build_nat(self) -> None:
        holders = nat.holders(self.system.run.path)
        for holder in holders:
            self.system.supervisor.start(holder, restarts=False)
        router, client = (holder.pid for holder in holders)
        try:
            self.nat = nat.build(router or 0, client or 0)
        except (CommandFailed, OSError) as error:
            self.without_nat = f"this machine lets nobody make such networks: {error}"
            for holder in holders:
                self.system.supervisor.end(holder, 2)


def _http_port(address: str) -> int:
    """Return 80, where the platform reaches a switch; another where only root may listen on that."""
    try:
        with socket.create_server((address, 80)):
            return 80
    except PermissionError:
        return 8080
