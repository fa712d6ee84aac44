"""How the platform reaches the switches of a region: one address for whichever takes new calls."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elb
from constructs import Construct

from cdk.constructs.access_logs import access_logs
from cdk.nag import acknowledge
from cdk.settings import Settings


class SwitchLoadBalancer(Construct):
    """An internal load balancer that speaks HTTPS where there is a certificate, and HTTP where there is none.

    Only what makes a new call comes by it. What is about a call that there is goes to its switch directly.

    Attributes:
        balancer: the load balancer.
        targets: the switches that take new calls.

    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        vpc: ec2.IVpc,
        certificate_arn: str | None,
        networks: Sequence[str],
    ) -> None:
        """Make the load balancer; machines of `networks` may reach it."""
        super().__init__(scope, construct_id)
        port = 80 if certificate_arn is None else 443
        group = ec2.SecurityGroup(self, "Group", vpc=vpc, description="Load balancer of the switches")
        for network in networks:
            group.add_ingress_rule(ec2.Peer.ipv4(network), ec2.Port.tcp(port), "The platform")
        self.balancer = elb.ApplicationLoadBalancer(
            self,
            "Balancer",
            vpc=vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
            internet_facing=False,
            security_group=group,
            drop_invalid_header_fields=True,
        )
        logs = access_logs(self, "AccessLogs", settings=settings)
        acknowledge(logs, "AwsSolutions-S1", "It holds access logs itself; each delivery into it would log another.")
        self.balancer.log_access_logs(logs, "switch")
        self.targets = elb.ApplicationTargetGroup(
            self,
            "Targets",
            vpc=vpc,
            port=80,
            protocol=elb.ApplicationProtocol.HTTP,
            target_type=elb.TargetType.IP,
            deregistration_delay=Duration.seconds(60),
            health_check=elb.HealthCheck(
                path="/health_checks",
                interval=Duration.seconds(10),
                healthy_threshold_count=3,
                unhealthy_threshold_count=2,
                healthy_http_codes="200",
            ),
        )
        self.balancer.add_listener(
            "Listener",
            port=port,
            protocol=elb.ApplicationProtocol.HTTP if certificate_arn is None else elb.ApplicationProtocol.HTTPS,
            certificates=(
                []
                if certificate_arn is None
                else [acm.Certificate.from_certificate_arn(self, "Certificate", certificate_arn)]
            ),
            ssl_policy=None if certificate_arn is None else elb.SslPolicy.RECOMMENDED_TLS,
            default_target_groups=[self.targets],
            open=False,
        )
