"""The media proxies' stack."""

import pytest

from tests.cdk.conftest import Template, Templates
from tests.cdk.ecs_templates import containers, environment, ingress, ports
from tests.cdk.permissions import granted


@pytest.fixture
def template(staging: Templates) -> Template:
    return staging["media-proxy"]


def test_a_proxy_is_told_its_ports_and_asks_for_its_public_address(template: Template) -> None:
    (proxy,) = containers(template).values()
    assert environment(proxy) == {
        "ADVERTISED_ADDRESS": "instance-metadata",
        "NG_PORT": "2223",
        "MEDIA_PORT_MIN": "30000",
        "MEDIA_PORT_MAX": "40000",
        "DRAIN_TIMEOUT": "110",
    }
    assert ports(proxy) == [("udp", 2223)]
    assert proxy["StopTimeout"] == 120, "longer than the proxy waits for its sessions"


def test_proxies_have_their_instances_network_and_public_addresses(template: Template) -> None:
    (definition,) = template.properties("AWS::ECS::TaskDefinition")
    assert definition["NetworkMode"] == "host"
    (launch,) = template.properties("AWS::EC2::LaunchTemplate")
    (interface,) = launch["LaunchTemplateData"]["NetworkInterfaces"]
    assert interface["AssociatePublicIpAddress"] is True
    (group,) = template.properties("AWS::AutoScaling::AutoScalingGroup")
    assert all("Public" in str(subnet) for subnet in group["VPCZoneIdentifier"])


def test_media_comes_from_everywhere_and_the_control_protocol_from_nobody_yet(template: Template) -> None:
    """The client gateways' stack lets its instances in."""
    assert ingress(template, "CapacityInstances") == {("udp", 30000, 40000, "0.0.0.0/0")}


def test_a_deployment_starts_new_proxies_beside_those_that_have_calls(template: Template) -> None:
    (service,) = template.properties("AWS::ECS::Service")
    assert service["DeploymentConfiguration"]["MinimumHealthyPercent"] == 100
    assert service["DeploymentConfiguration"]["MaximumPercent"] == 200
    (group,) = template.properties("AWS::AutoScaling::AutoScalingGroup")
    assert group["MaxSize"] == "4", "there is room for it: twice the tasks"


def test_a_proxy_asks_nothing_of_aws(template: Template) -> None:
    assert granted(template, "ServiceTaskDefinitionTaskRole") == {}
