"""An ECS service on EC2: a task definition of some containers, and as many tasks of it as the load wants."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk.constructs.capacity import Capacity
from cdk.constructs.container import Container
from cdk.constructs.service_log import service_log
from cdk.images import repository
from cdk.nag import acknowledge
from cdk.service_settings import Tasks
from cdk.settings import Settings


class ContainerService(Construct):
    """A service with a task role, a log group a container, and a deployment that is taken back when it fails.

    Each task has an instance of its capacity to itself. The task role starts with no right at all; grant to `task_role`
    what the containers ask of AWS. ECS's own role may pull the images, write the logs and read the secrets of this task
    and no other. Example, with addresses of their own for the tasks (awsvpc), which is what security groups make:

        service = ContainerService(
            self,
            "Service",
            settings=settings,
            name=settings.ecs.public_gateway_service,
            tasks=settings.public_gateway_tasks,
            capacity=capacity,
            security_groups=[group],
            volumes=[ecs.Volume(name="state")],
            containers=[
                Container(
                    name="scheduler",
                    image=ImageName.GATEWAY_SCHEDULER,
                    environment={"GATEWAY_KIND": "public", ...},
                    secrets={"FS_EVENT_SOCKET_PASSWORD": container_secret(self, settings, EVENT_SOCKET_PASSWORD)},
                    mounts={"/var/lib/opensips": "state"},
                    health_check=("python", "-m", "opensips_scheduler.healthcheck"),
                ),
                Container(
                    name="gateway",
                    image=ImageName.PUBLIC_GATEWAY,
                    environment={"SIP_PORT": "5060", ...},
                    ports=(udp(5060), udp(5080), tcp(5060)),
                    mounts={"/var/lib/opensips": "state"},
                    starts_after=("scheduler",),
                    stop_seconds=120,
                    health_check=("/opt/gateway/healthcheck.sh",),
                ),
            ],
        )
        service.task_role.add_to_policy(iam.PolicyStatement(actions=["dynamodb:Scan"], resources=[...]))
        target_group.add_target(
            service.service.load_balancer_target(
                container_name="gateway", container_port=5060, protocol=ecs.Protocol.UDP
            )
        )
        service.scale_on_cpu(settings.public_gateway.target_cpu_percent)

    A volume without a host, as above, is made for each task and goes with it; the first container that mounts it gives
    it the content and the owner that the directory has in its image. Without `security_groups` the containers share
    the network of their instance (host), and the capacity's security group is theirs; tasks are then replaced in place,
    since two cannot have one port: `minimum_healthy_percent=50, maximum_healthy_percent=100` with two tasks or more.

    Attributes:
        service: the ECS service; a load balancer's target is `service.load_balancer_target(…)`, which names the
            container: without that it would be the first one.
        task_role: what the containers may do.
        scaling: how many tasks there are: between the settings' bounds.
        logs: the log group of each container, by its name.

    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        name: str,
        tasks: Tasks,
        capacity: Capacity,
        containers: Sequence[Container],
        security_groups: Sequence[ec2.ISecurityGroup] = (),
        volumes: Sequence[ecs.Volume] = (),
        minimum_healthy_percent: int = 100,
        maximum_healthy_percent: int = 200,
        health_check_grace_seconds: int | None = None,
    ) -> None:
        """Make the task definition and the service.

        Parameters:
            scope: the construct that it belongs to.
            construct_id: its name in the tree.
            settings: the deployment's settings.
            name: name of the service, and the family of its task definitions.
            tasks: how many there are at least and at most, and how large each is.
            capacity: the instances.
            containers: what a task is made of; one comes after those that it starts after or beside.
            security_groups: of the tasks' own interfaces, in private subnets; none for the host's network.
            volumes: volumes that containers mount.
            minimum_healthy_percent: of the tasks, below which a deployment does not go.
            maximum_healthy_percent: above which it does not go.
            health_check_grace_seconds: how long a load balancer's verdict on a new task does not count.

        """
        super().__init__(scope, construct_id)
        self._settings = settings
        self.logs: dict[str, logs.LogGroup] = {}
        definition = ecs.TaskDefinition(
            self,
            "TaskDefinition",
            compatibility=ecs.Compatibility.EC2,
            family=name,
            network_mode=ecs.NetworkMode.AWS_VPC if security_groups else ecs.NetworkMode.HOST,
            cpu=str(tasks.cpu_units),
            memory_mib=str(tasks.memory_megabytes),
            volumes=list(volumes),
        )
        self.task_role: iam.IRole = definition.task_role
        made: dict[str, ecs.ContainerDefinition] = {}
        for container in containers:
            made[container.name] = self._container(definition, container)
            for others, condition in (
                (container.starts_after, ecs.ContainerDependencyCondition.HEALTHY),
                (container.starts_beside, ecs.ContainerDependencyCondition.START),
            ):
                made[container.name].add_container_dependencies(
                    *(ecs.ContainerDependency(container=made[other], condition=condition) for other in others)
                )
        self.service = ecs.Ec2Service(
            self,
            "Service",
            cluster=capacity.cluster,
            service_name=name,
            task_definition=definition,
            capacity_provider_strategies=[ecs.CapacityProviderStrategy(capacity_provider=capacity.provider, weight=1)],
            security_groups=list(security_groups) or None,
            vpc_subnets=(
                ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS) if security_groups else None
            ),
            # It would end tasks that have calls, only for their zones to be even.
            availability_zone_rebalancing=ecs.AvailabilityZoneRebalancing.DISABLED,
            placement_constraints=[ecs.PlacementConstraint.distinct_instances()],
            placement_strategies=[ecs.PlacementStrategy.spread_across("attribute:ecs.availability-zone")],
            circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
            min_healthy_percent=minimum_healthy_percent,
            max_healthy_percent=maximum_healthy_percent,
            health_check_grace_period=(
                None if health_check_grace_seconds is None else Duration.seconds(health_check_grace_seconds)
            ),
            enable_ecs_managed_tags=True,
            propagate_tags=ecs.PropagatedTagSource.SERVICE,
        )
        self.service.node.add_dependency(capacity.association)
        self.scaling = self.service.auto_scale_task_count(min_capacity=tasks.minimum, max_capacity=tasks.maximum)
        acknowledge(
            definition,
            "AwsSolutions-ECS2",
            "What is in the environment is no secret: names, ports, limits. Passwords come from Secrets Manager.",
        )
        self._acknowledge_execution_role(definition)

    def scale_on_cpu(self, percent: int) -> None:
        """Keep the processors' load at this percentage, on average over the tasks."""
        self.scaling.scale_on_cpu_utilization(
            "Cpu",
            target_utilization_percent=percent,
            scale_in_cooldown=Duration.seconds(300),
            scale_out_cooldown=Duration.seconds(60),
        )

    def scale_on_metric(self, construct_id: str, metric: cloudwatch.Metric, target: float) -> None:
        """Keep a metric that is a value a task at this value, on average over the tasks."""
        self.scaling.scale_to_track_custom_metric(
            construct_id,
            metric=metric,
            target_value=target,
            scale_in_cooldown=Duration.seconds(300),
            scale_out_cooldown=Duration.seconds(60),
        )

    def _container(self, definition: ecs.TaskDefinition, container: Container) -> ecs.ContainerDefinition:
        words = "".join(part.title() for part in container.name.split("-"))
        self.logs[container.name] = service_log(self, f"{words}Log", settings=self._settings)
        made = definition.add_container(
            words,
            container_name=container.name,
            image=ecs.ContainerImage.from_ecr_repository(
                repository(self, self._settings, container.image), self._settings.image.tag
            ),
            environment=dict(container.environment),
            secrets=dict(container.secrets),
            health_check=ecs.HealthCheck(
                command=["CMD", *container.health_check],
                interval=Duration.seconds(10),
                timeout=Duration.seconds(5),
                retries=10,
                start_period=Duration.seconds(container.start_seconds),
            ),
            # As long again as it may be unhealthy at its start: past it, ECS gives the task up.
            start_timeout=Duration.seconds(container.start_seconds + 120),
            stop_timeout=Duration.seconds(container.stop_seconds),
            logging=ecs.LogDrivers.aws_logs(
                log_group=self.logs[container.name],
                stream_prefix=container.name,
                # A log that is not taken holds nothing up: calls are worth more than lines.
                mode=ecs.AwsLogDriverMode.NON_BLOCKING,
            ),
            port_mappings=list(container.ports),
            ulimits=[
                ecs.Ulimit(name=ecs.UlimitName.NOFILE, soft_limit=container.open_files, hard_limit=container.open_files)
            ],
            readonly_root_filesystem=container.read_only_root,
        )
        made.add_mount_points(
            *(
                ecs.MountPoint(container_path=path, source_volume=volume, read_only=False)
                for path, volume in container.mounts.items()
            )
        )
        return made

    def _acknowledge_execution_role(self, definition: ecs.TaskDefinition) -> None:
        role = definition.obtain_execution_role()
        acknowledge(
            role, "AwsSolutions-IAM5[Resource::*]", "ecr:GetAuthorizationToken has no resource level; pulling has."
        )
