"""The EC2 instances that tasks of one service run on: as many as there are tasks."""

from aws_cdk import Stack
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from cdk.constructs.instance_role import InstanceRole
from cdk.nag import acknowledge
from cdk.service_settings import Tasks
from cdk.settings import Architecture, Settings

_AGENT = {
    # Images have tags that are given once, so one that is there need not be asked for.
    "ECS_IMAGE_PULL_BEHAVIOR": "prefer-cached",
    # Logs are written with the execution role of the task, and not with the instance's.
    "ECS_ENABLE_AWSLOGS_EXECUTIONROLE_OVERRIDE": "true",
    "ECS_ENABLE_TASK_IAM_ROLE": "true",
    "ECS_ENABLE_TASK_IAM_ROLE_NETWORK_HOST": "true",
    # A task with an address of its own gets no credentials of the instance's.
    "ECS_AWSVPC_BLOCK_IMDS": "true",
    "ECS_RESERVED_MEMORY": "256",
}


class Capacity(Construct):
    """An auto scaling group that ECS scales, drains and protects, as the one capacity provider of a cluster.

    There is an instance for each task and none more: ECS starts one when a task finds no room, has an instance's tasks
    end before the instance does, and lets none end that has tasks. Instances speak IMDSv2 alone, have an encrypted disk
    and no key pair; nobody logs in.

    The cluster is one that the network stack made, by its name; it belongs to this service alone, because the list of a
    cluster's capacity providers is one resource. Example, of a service whose tasks have addresses of their own
    (awsvpc): the instances are in private subnets, and need no more than the default security group that comes with
    this construct, which lets nobody in:

        capacity = Capacity(
            self,
            "Capacity",
            settings=settings,
            tasks=settings.public_gateway_tasks,
            cluster=settings.ecs.public_gateway_cluster,
            vpc=network.vpc,
        )

    And of one whose containers share the network of their instance (host): the instance has the public address and the
    rules, and its user data does what must be done before the first task starts. The deployment replaces tasks in
    place (`minimum_healthy_percent=50, maximum_healthy_percent=100` of `ContainerService`), so the spare instances that
    others start new tasks on are not needed:

        boot = ec2.UserData.for_linux()
        boot.add_commands(*assign_address_commands(tag))
        capacity = Capacity(
            self,
            "Capacity",
            settings=settings,
            tasks=settings.client_gateway_tasks,
            cluster=settings.ecs.client_gateway_cluster,
            vpc=network.vpc,
            public=True,
            spare=0,
            user_data=boot,
        )
        capacity.security_group.add_ingress_rule(ec2.Peer.any_ipv4(), ec2.Port.udp(5060), "SIP")
        capacity.role.add_to_policy(iam.PolicyStatement(actions=["ec2:AssociateAddress"], ...))

    The commands of the user data run first, with `set -eEu`, as root; the ECS agent starts only after them. An instance
    that they fail on gets no task, and is replaced.

    Attributes:
        cluster: the cluster, as a service is put into it.
        provider: the capacity provider's name.
        group: the auto scaling group.
        security_group: the instances'.
        role: the instances'; grant what the user data does.
        association: what a service must depend on.

    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        tasks: Tasks,
        cluster: str,
        vpc: ec2.IVpc,
        public: bool = False,
        spare: int | None = None,
        user_data: ec2.UserData | None = None,
        disk_gigabytes: int = 30,
    ) -> None:
        """Make the group, its launch template and the provider.

        Parameters:
            scope: the construct that it belongs to.
            construct_id: its name in the tree.
            settings: the deployment's settings.
            tasks: how many tasks there are, and on which instances.
            cluster: name of the service's own cluster.
            vpc: the region's network.
            public: whether instances are in public subnets, with a public address each from the start.
            spare: how many instances there may be beyond the greatest number of tasks; as many again, unless it is
                said: a deployment starts the new tasks beside the old ones.
            user_data: a shell script's commands that are run before ECS uses the instance.
            disk_gigabytes: size of the root disk, which holds the images too; 30 is the least that the AMI takes.

        """
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        self.role = InstanceRole(self, "Role", cluster=cluster)
        self.security_group = ec2.SecurityGroup(
            self, "Instances", vpc=vpc, description=f"Instances of the cluster {cluster}"
        )
        template = ec2.LaunchTemplate(
            self,
            "Template",
            instance_type=ec2.InstanceType(tasks.machine(settings.architecture)),
            machine_image=ecs.EcsOptimizedImage.amazon_linux2023(_hardware(settings)),
            role=self.role,
            security_group=self.security_group,
            associate_public_ip_address=public,
            require_imdsv2=True,
            # A container with the instance's network asks from the instance itself; nothing else may.
            http_put_response_hop_limit=1,
            block_devices=[
                ec2.BlockDevice(
                    device_name="/dev/xvda",
                    volume=ec2.BlockDeviceVolume.ebs(
                        disk_gigabytes, encrypted=True, volume_type=ec2.EbsDeviceVolumeType.GP3
                    ),
                )
            ],
            user_data=_user_data(cluster, user_data),
        )
        self.group = autoscaling.AutoScalingGroup(
            self,
            "Group",
            vpc=vpc,
            vpc_subnets=ec2.SubnetSelection(
                subnet_type=ec2.SubnetType.PUBLIC if public else ec2.SubnetType.PRIVATE_WITH_EGRESS
            ),
            launch_template=template,
            min_capacity=0,
            max_capacity=tasks.maximum + (tasks.maximum if spare is None else spare),
            new_instances_protected_from_scale_in=True,
            # As many instances are wanted as tasks: what ECS itself does not count without Container Insights.
            group_metrics=[
                autoscaling.GroupMetrics(
                    autoscaling.GroupMetric.DESIRED_CAPACITY, autoscaling.GroupMetric.IN_SERVICE_INSTANCES
                )
            ],
        )
        provider = ecs.AsgCapacityProvider(
            self,
            "Provider",
            auto_scaling_group=self.group,
            enable_managed_scaling=True,
            enable_managed_draining=True,
            enable_managed_termination_protection=True,
            target_capacity_percent=100,
            # Seconds until a new instance counts as there; its agent has joined by then, or soon after.
            instance_warmup_period=60,
        )
        self.provider = provider.capacity_provider_name
        self.association = ecs.CfnClusterCapacityProviderAssociations(
            self,
            "Association",
            cluster=cluster,
            capacity_providers=[self.provider],
            default_capacity_provider_strategy=[
                ecs.CfnClusterCapacityProviderAssociations.CapacityProviderStrategyProperty(
                    capacity_provider=self.provider, weight=1
                )
            ],
        )
        self.cluster = ecs.Cluster.from_cluster_attributes(
            self,
            "Cluster",
            cluster_name=cluster,
            cluster_arn=stack.format_arn(service="ecs", resource="cluster", resource_name=cluster),
            vpc=vpc,
            security_groups=[],
            has_ec2_capacity=True,
        )
        acknowledge(
            self.group,
            "AwsSolutions-AS3",
            "ECS starts and ends the instances; that too few run is told by the alarms on the service, not by one "
            "notification for each of many intended changes.",
        )


def _hardware(settings: Settings) -> ecs.AmiHardwareType:
    return ecs.AmiHardwareType.ARM if settings.architecture is Architecture.ARM64 else ecs.AmiHardwareType.STANDARD


def _user_data(cluster: str, first: ec2.UserData | None) -> ec2.UserData:
    """Return the script that an instance runs at its first start: ours, then the configuration of the ECS agent.

    The agent's service waits for the end of this script. If the script fails, the agent is kept from starting, so that
    no task is put on an instance that is not what its service needs, and the instance ends a minute later, which leaves
    its log time to be seen on the console; the auto scaling group starts another.
    """
    script = ec2.UserData.for_linux(shebang="#!/bin/bash")
    script.add_commands("set -eEu", "trap 'systemctl mask --now ecs; shutdown -h +1' ERR")
    if first is not None:
        script.add_commands(*(line for line in first.render().splitlines() if not line.startswith("#!")))
    script.add_commands(
        "cat >> /etc/ecs/ecs.config << 'END'",
        f"ECS_CLUSTER={cluster}",
        *(f"{name}={value}" for name, value in _AGENT.items()),
        "END",
    )
    return script
