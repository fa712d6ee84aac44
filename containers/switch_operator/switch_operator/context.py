"""What every command works with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from lambdas.services.container_service import ContainerService
from routing import RegistrationReader, RoutingReader, RoutingRepository
from switch_operator.aws_clients import AwsClients
from switch_operator.confirmation import Terminal
from switch_operator.deployment import Deployment
from switch_operator.output import Output
from switch_operator.server_time import ServerTime


@dataclass
class Context:
    """A deployment, and whoever operates it.

    Attributes:
        find_deployment: finds where its parts are; some commands ask for none.
        clients: AWS.
        output: what is said.
        terminal: who is asked.
        clock: seconds since the epoch.
        health_urls: where gateways' schedulers tell their health, as far as the environment says.

    """

    find_deployment: Callable[[], Deployment]
    clients: AwsClients
    output: Output
    terminal: Terminal
    clock: Callable[[], float]
    health_urls: tuple[str, ...] = field(default=())

    @cached_property
    def deployment(self) -> Deployment:
        """Where its parts are."""
        return self.find_deployment()

    @cached_property
    def server_time(self) -> ServerTime:
        """The time that orders changes; it watches the answers that the repository gets."""
        return ServerTime(self.clients.dynamodb, self.clock)

    @cached_property
    def reader(self) -> RoutingReader:
        """The routing tables as gateways read them."""
        return RoutingReader(self.clients.dynamodb, self.deployment.tables)

    @cached_property
    def repository(self) -> RoutingRepository:
        """The routing tables as the services function writes them."""
        _ = self.server_time
        return RoutingRepository(self.clients.dynamodb, self.deployment.tables, clock=self.clock)

    @cached_property
    def registrations(self) -> RegistrationReader:
        """Who is registered."""
        return RegistrationReader(self.clients.dynamodb, self.deployment.tables)

    @cached_property
    def container_service(self) -> ContainerService:
        """What ECS runs."""
        return ContainerService(self.clients)
