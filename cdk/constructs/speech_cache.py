"""The directory of synthesised speech and downloaded audio that the switches of a region share."""

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_efs as efs
from aws_cdk import aws_iam as iam
from constructs import Construct

OWNER = "509"
"""User and group of the switch's containers."""


class SpeechCache(Construct):
    """An EFS file system of one directory, which goes with its stack: what is in it can be made again.

    It is mounted over TLS, with the right of a task role, as the containers' user.

    Attributes:
        volume: as a task definition names it.
        mounted: what must be there before a task mounts it.
        file_system_id: the file system's id.

    """

    def __init__(self, scope: Construct, construct_id: str, *, vpc: ec2.IVpc, name: str) -> None:
        """Make the file system; `name` is the volume's."""
        super().__init__(scope, construct_id)
        self._group = ec2.SecurityGroup(
            self, "Group", vpc=vpc, description="The cache of speech and audio", allow_all_outbound=False
        )
        self._files = efs.FileSystem(
            self,
            "Files",
            vpc=vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
            security_group=self._group,
            encrypted=True,
            throughput_mode=efs.ThroughputMode.ELASTIC,
            lifecycle_policy=efs.LifecyclePolicy.AFTER_30_DAYS,
            out_of_infrequent_access_policy=efs.OutOfInfrequentAccessPolicy.AFTER_1_ACCESS,
            enable_automatic_backups=False,
            removal_policy=RemovalPolicy.DESTROY,
            # With a policy of its own, nobody mounts it without a right; this one gives none.
            allow_anonymous_access=True,
            file_system_policy=iam.PolicyDocument(
                statements=[
                    iam.PolicyStatement(
                        sid="TlsAlone",
                        effect=iam.Effect.DENY,
                        principals=[iam.AnyPrincipal()],
                        actions=["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"],
                        conditions={"Bool": {"aws:SecureTransport": "false"}},
                    )
                ]
            ),
        )
        self._directory = self._files.add_access_point(
            "Directory",
            path="/cache",
            create_acl=efs.Acl(owner_uid=OWNER, owner_gid=OWNER, permissions="0750"),
            posix_user=efs.PosixUser(uid=OWNER, gid=OWNER),
        )
        self.file_system_id = self._files.file_system_id
        self.mounted = self._files.mount_targets_available
        self.volume = ecs.Volume(
            name=name,
            efs_volume_configuration=ecs.EfsVolumeConfiguration(
                file_system_id=self.file_system_id,
                transit_encryption="ENABLED",
                authorization_config=ecs.AuthorizationConfig(
                    access_point_id=self._directory.access_point_id, iam="ENABLED"
                ),
            ),
        )

    def open_to(self, group: ec2.ISecurityGroup, description: str) -> None:
        """Let the machines of a security group reach it."""
        self._group.add_ingress_rule(group, ec2.Port.tcp(2049), description)

    def statement(self) -> iam.PolicyStatement:
        """Return the right to mount the directory and write in it."""
        stack = Stack.of(self)
        return iam.PolicyStatement(
            sid="MountCache",
            actions=["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"],
            resources=[self._files.file_system_arn],
            conditions={
                "StringEquals": {
                    "elasticfilesystem:AccessPointArn": stack.format_arn(
                        service="elasticfilesystem",
                        resource="access-point",
                        resource_name=self._directory.access_point_id,
                    )
                }
            },
        )
