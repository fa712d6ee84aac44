"""The name that SIP clients register at: records that lead to the gateways that answer, and the gateways' own table."""

from collections.abc import Sequence

from aws_cdk import CustomResource, Duration
from aws_cdk import aws_route53 as route53
from constructs import Construct

from cdk.services_stack import services_function_arn
from cdk.settings import Settings

_TIME_TO_LIVE = 60
"""Seconds that a client may go on with what it was told; a gateway that ends is out of the answers a minute later."""


class ClientGatewayDomain(Construct):
    """An address record for each Elastic IP, given to clients while somebody answers there, and the domain's row.

    Gateways answer for what is in the table of domains alone, which the services function writes.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        domain: str,
        hosted_zone_id: str,
        addresses: Sequence[str],
    ) -> None:
        super().__init__(scope, construct_id)
        for number, address in enumerate(addresses, start=1):
            check = route53.CfnHealthCheck(
                self,
                f"HealthCheck{number}",
                health_check_config=route53.CfnHealthCheck.HealthCheckConfigProperty(
                    type="TCP",
                    ip_address=address,
                    port=settings.client_gateway.sip_port,
                    request_interval=30,
                    failure_threshold=2,
                ),
                health_check_tags=[
                    route53.CfnHealthCheck.HealthCheckTagProperty(key="Name", value=f"{domain} {number}")
                ],
            )
            route53.CfnRecordSet(
                self,
                f"Record{number}",
                hosted_zone_id=hosted_zone_id,
                name=domain,
                type="A",
                ttl=str(_TIME_TO_LIVE),
                resource_records=[address],
                multi_value_answer=True,
                set_identifier=f"{settings.environment}-{number}",
                health_check_id=check.attr_health_check_id,
            )
        CustomResource(
            self,
            "Row",
            resource_type="Custom::ServiceAction",
            service_token=services_function_arn(self, settings),
            service_timeout=Duration.seconds(120),
            properties={"serviceAction": "CreateDomain", "parameters": {"domain": domain}},
        )
