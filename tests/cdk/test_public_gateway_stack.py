"""The public gateways' stack."""

from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App

from cdk import nag
from cdk.context import read_settings
from cdk.data_stack import DataStack
from cdk.network_stack import NetworkStack
from cdk.public_gateway_stack import PublicGatewayStack
from tests.cdk.conftest import CONTEXT, Template, Templates
from tests.cdk.ecs_templates import containers, egress, environment, ingress, ports

EVERYWHERE = "0.0.0.0/0"
NETWORKS = ("10.12.0.0/16", "10.22.0.0/16")


@pytest.fixture
def template(staging: Templates) -> Template:
    return staging["public-gateway"]


def attributes(properties: dict[str, Any], key: str) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in properties[key]}


def test_carriers_meet_an_address_that_stays_in_each_zone(template: Template) -> None:
    (balancer,) = template.properties("AWS::ElasticLoadBalancingV2::LoadBalancer")
    assert (balancer["Type"], balancer["Scheme"]) == ("network", "internet-facing")
    addresses = {name: each for name, each in template.content["Resources"].items() if each["Type"] == "AWS::EC2::EIP"}
    mapped = [each["AllocationId"]["Fn::GetAtt"][0] for each in balancer["SubnetMappings"]]
    assert len(addresses) == 2
    assert mapped == list(addresses)
    assert all("Public" in str(each["SubnetId"]) for each in balancer["SubnetMappings"])
    for address in addresses.values():
        assert address["DeletionPolicy"] == address["UpdateReplacePolicy"] == "Retain"
    of_balancer = attributes(balancer, "LoadBalancerAttributes")
    assert of_balancer["deletion_protection.enabled"] == "true"
    assert of_balancer["load_balancing.cross_zone.enabled"] == "true"


def test_sip_is_taken_over_udp_and_checked_over_tcp(template: Template) -> None:
    listeners = template.properties("AWS::ElasticLoadBalancingV2::Listener")
    assert [(each["Protocol"], each["Port"]) for each in listeners] == [("UDP", 5060), ("UDP", 5080)]
    for group, port in zip(template.properties("AWS::ElasticLoadBalancingV2::TargetGroup"), (5060, 5080), strict=True):
        assert (group["Protocol"], group["Port"], group["TargetType"]) == ("UDP", port, "ip")
        assert (group["HealthCheckProtocol"], group["HealthCheckPort"]) == ("TCP", "5060")


def test_a_carrier_reaches_one_gateway_with_its_own_address_and_until_that_one_ends(template: Template) -> None:
    gateway = containers(template)["gateway"]
    drain = int(environment(gateway)["DRAIN_TIMEOUT"])
    assert gateway["StopTimeout"] > drain
    for group in template.properties("AWS::ElasticLoadBalancingV2::TargetGroup"):
        of_group = attributes(group, "TargetGroupAttributes")
        assert of_group["preserve_client_ip.enabled"] == "true"
        assert of_group["stickiness.enabled"] == "true"
        assert of_group["stickiness.type"] == "source_ip"
        assert int(of_group["deregistration_delay.timeout_seconds"]) >= drain
        assert of_group["deregistration_delay.connection_termination.enabled"] == "true"


def test_the_gateway_is_the_target_at_both_ports(template: Template) -> None:
    (service,) = template.properties("AWS::ECS::Service")
    groups = template.properties("AWS::ElasticLoadBalancingV2::TargetGroup")
    assert [(each["ContainerName"], each["ContainerPort"]) for each in service["LoadBalancers"]] == [
        ("gateway", 5060),
        ("gateway", 5080),
    ]
    assert [each["TargetGroupArn"]["Ref"] for each in service["LoadBalancers"]] == [
        template.logical_id(group) for group in groups
    ]


def test_what_the_containers_are_told(template: Template) -> None:
    made = containers(template)
    first = {"Fn::GetAtt": [next(iter(elastic_ips(template))), "PublicIp"]}
    assert environment(made["gateway"]) == {
        "SIP_ADVERTISED_ADDRESS": first,
        "SIP_PORT": "5060",
        "SIP_ALTERNATIVE_PORT": "5080",
        "DRAIN_TIMEOUT": "110",
    }
    assert template.content["Outputs"]["SipAddress"]["Value"] == first
    assert ports(made["gateway"]) == [("udp", 5060), ("udp", 5080), ("tcp", 5060)]
    told = environment(made["scheduler"])
    assert (told["GATEWAY_KIND"], told["GATEWAY_NAME"]) == ("public", "public-gateway-staging")
    assert told["AWS_DEFAULT_REGION"] == "ap-southeast-1"
    (secret,) = made["scheduler"]["Secrets"]
    assert secret["Name"] == "FS_EVENT_SOCKET_PASSWORD"


def elastic_ips(template: Template) -> list[str]:
    return [name for name, each in template.content["Resources"].items() if each["Type"] == "AWS::EC2::EIP"]


def test_only_the_load_balancer_and_switches_reach_a_gateway(template: Template) -> None:
    (balancer,) = [
        name for name in template.content["Resources"] if name.startswith("BalancerCarriers") and len(name) < 30
    ]
    (tasks,) = [name for name in template.content["Resources"] if name.startswith("Tasks") and len(name) < 20]
    sip = [("udp", 5060, 5060), ("udp", 5080, 5080)]
    health = ("tcp", 5060, 5060)
    assert ingress(template, balancer) == {(*port, EVERYWHERE) for port in sip}
    assert egress(template, balancer) == {(*port, tasks) for port in (*sip, health)}
    assert ingress(template, tasks) == {
        *((*port, network) for port in sip for network in NETWORKS),
        *((*port, balancer) for port in (*sip, health)),
    }
    assert egress(template, tasks) == {
        ("udp", 0, 65535, EVERYWHERE),
        ("tcp", 443, 443, EVERYWHERE),
        *(("tcp", 8021, 8021, network) for network in NETWORKS),
    }


def test_with_an_accelerator_its_first_address_is_what_carriers_know(tmp_path: Path) -> None:
    context = {**CONTEXT, "environment": "production", "publicGatewayGlobalAccelerator": "true"}
    app = App(context=context, outdir=str(tmp_path))
    settings = read_settings(context)
    network = NetworkStack(app, "network", settings=settings, region=settings.home)
    data = DataStack(app, "data", settings=settings)
    PublicGatewayStack(app, "gateway", settings=settings, network=network, data=data)
    nag.check(app)
    template = Template(tmp_path / "gateway.template.json", app.synth().get_stack_by_name("gateway").template)
    (name,) = [
        name
        for name, each in template.content["Resources"].items()
        if each["Type"] == "AWS::GlobalAccelerator::Accelerator"
    ]
    assert template.content["Resources"][name]["DeletionPolicy"] == "Retain"
    (listener,) = template.properties("AWS::GlobalAccelerator::Listener")
    assert (listener["Protocol"], listener["ClientAffinity"]) == ("UDP", "SOURCE_IP")
    assert [(each["FromPort"], each["ToPort"]) for each in listener["PortRanges"]] == [(5060, 5060), (5080, 5080)]
    (group,) = template.properties("AWS::GlobalAccelerator::EndpointGroup")
    (endpoint,) = group["EndpointConfigurations"]
    assert endpoint["ClientIPPreservationEnabled"] is True
    (balancer,) = template.properties("AWS::ElasticLoadBalancingV2::LoadBalancer")
    assert endpoint["EndpointId"] == {"Ref": template.logical_id(balancer)}
    known = {"Fn::Select": [0, {"Fn::GetAtt": [name, "Ipv4Addresses"]}]}
    assert environment(containers(template)["gateway"])["SIP_ADVERTISED_ADDRESS"] == known
