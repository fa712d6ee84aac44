"""The function's parts, put together."""

from collections.abc import Callable

from lambdas.services.aws_clients import AwsClients
from lambdas.services.call_platform import CallPlatform
from lambdas.services.capacity_queue import CapacityQueue
from lambdas.services.container_service import ContainerService
from lambdas.services.platform_password import PlatformPassword
from lambdas.services.settings import Settings
from lambdas.services.workflows.apply_task_state import ApplyTaskState
from lambdas.services.workflows.build_dial_string import BuildClientGatewayDialString
from lambdas.services.workflows.create_domain import CreateDomain
from lambdas.services.workflows.handle_jobs import HandleJobs
from lambdas.services.workflows.notify_capacity import NotifyCapacity
from lambdas.services.workflows.reconcile import Reconcile
from routing import RegistrationReader, RoutingRepository


class Application:
    """The workflows with their collaborators.

    Args:
        settings: the environment.
        clock: seconds since the epoch.

    """

    def __init__(self, settings: Settings, clock: Callable[[], float]) -> None:
        clients = AwsClients()
        repository = RoutingRepository(clients.dynamodb, settings.tables, clock=clock)
        container_service = ContainerService(clients)
        queue = CapacityQueue(clients, settings.queue_url)
        password = PlatformPassword(clients, settings.call_platform.password_parameter, clock)
        call_platform = CallPlatform(settings.call_platform, password)
        self.apply_task_state = ApplyTaskState(settings, repository, container_service, queue)
        self.handle_jobs = HandleJobs(repository, NotifyCapacity(settings.regions, container_service, call_platform))
        self.build_dial_string = BuildClientGatewayDialString(
            RegistrationReader(clients.dynamodb, settings.tables), clock
        )
        self.create_domain = CreateDomain(repository)
        self.reconcile = Reconcile(settings, repository, container_service, queue)
