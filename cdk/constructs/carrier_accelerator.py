"""AWS's Global Accelerator in front of the carriers' load balancer."""

from aws_cdk import Fn, RemovalPolicy
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_globalaccelerator as globalaccelerator
from aws_cdk import aws_globalaccelerator_endpoints as endpoints
from constructs import Construct

from cdk.settings import Settings


class CarrierAccelerator(Construct):
    """Two addresses that AWS announces from everywhere, which belong to no zone.

    Attributes:
        addresses: both.

    """

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, load_balancer: elb.NetworkLoadBalancer
    ) -> None:
        super().__init__(scope, construct_id)
        accelerator = globalaccelerator.Accelerator(
            self, "Accelerator", accelerator_name=f"somleng-switch-{settings.environment}-public-gateway"
        )
        # As with Elastic IPs: carriers have the addresses in their configuration.
        accelerator.apply_removal_policy(RemovalPolicy.RETAIN if settings.protect_data else RemovalPolicy.DESTROY)
        addresses = accelerator.ipv4_addresses or []
        self.addresses = [Fn.select(number, addresses) for number in range(2)]
        gateway = settings.public_gateway
        listener = accelerator.add_listener(
            "Sip",
            protocol=globalaccelerator.ConnectionProtocol.UDP,
            port_ranges=[
                globalaccelerator.PortRange(from_port=port) for port in (gateway.sip_port, gateway.sip_alternative_port)
            ],
            client_affinity=globalaccelerator.ClientAffinity.SOURCE_IP,
        )
        listener.add_endpoint_group(
            "Gateways", endpoints=[endpoints.NetworkLoadBalancerEndpoint(load_balancer, preserve_client_ip=True)]
        )
