"""The network of each region."""

from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App

from cdk.context import read_settings
from cdk.network_stack import NetworkStack
from tests.cdk.conftest import CONTEXT, Template, Templates

STACKS = ("network", "network-us-east-1")


def subnets(template: Template) -> dict[str, list[str]]:
    """Return the networks of the subnets, by what routes them out."""
    found: dict[str, list[str]] = {"public": [], "private": []}
    for subnet in template.properties("AWS::EC2::Subnet"):
        found["public" if subnet["MapPublicIpOnLaunch"] else "private"].append(subnet["CidrBlock"])
    return found


@pytest.mark.parametrize(("stack", "cidr"), [("network", "10.12.0.0/16"), ("network-us-east-1", "10.22.0.0/16")])
def test_a_region_has_public_and_private_subnets_in_two_zones(staging: Templates, stack: str, cidr: str) -> None:
    (vpc,) = staging[stack].properties("AWS::EC2::VPC")
    assert vpc["CidrBlock"] == cidr
    assert {kind: len(networks) for kind, networks in subnets(staging[stack]).items()} == {"public": 2, "private": 2}
    for networks in subnets(staging[stack]).values():
        assert all(ip_network(each).subnet_of(ip_network(cidr)) for each in networks)


@pytest.mark.parametrize("stack", STACKS)
def test_everything_private_leaves_by_one_address_that_outlives_the_stack(staging: Templates, stack: str) -> None:
    template = staging[stack]
    (gateway,) = template.properties("AWS::EC2::NatGateway")
    (name,) = [key for key, each in template.content["Resources"].items() if each["Type"] == "AWS::EC2::EIP"]
    assert gateway["AllocationId"] == {"Fn::GetAtt": [name, "AllocationId"]}
    assert template.content["Resources"][name]["DeletionPolicy"] == "Retain"
    assert template.content["Outputs"]["NatAddress"]["Value"] == {"Fn::GetAtt": [name, "PublicIp"]}
    leaving = [each for each in template.properties("AWS::EC2::Route") if "NatGatewayId" in each]
    assert len(leaving) == 2


def test_an_address_that_carriers_know_already_is_used(tmp_path: Path) -> None:
    networks: list[dict[str, Any]] = [dict(each) for each in CONTEXT["settings"]["common"]["networks"]]
    networks[0]["nat_allocation_id"] = "eipalloc-0123456789abcdef0"
    app = App(context={**CONTEXT, "environment": "production", "networks": networks}, outdir=str(tmp_path))
    settings = read_settings(app.node.get_all_context())
    stack = NetworkStack(app, "network", settings=settings, region=settings.home)
    assert stack.nat_address == "13.250.230.15"
    template = app.synth().get_stack_by_name("network").template
    kinds = {each["Type"]: each["Properties"] for each in template["Resources"].values()}
    assert kinds["AWS::EC2::NatGateway"]["AllocationId"] == "eipalloc-0123456789abcdef0"
    assert "AWS::EC2::EIP" not in kinds


@pytest.mark.parametrize("stack", STACKS)
def test_data_images_and_logs_do_not_go_through_the_nat_gateway(staging: Templates, stack: str) -> None:
    endpoints = staging[stack].properties("AWS::EC2::VPCEndpoint")
    names = {str(each["ServiceName"]): each["VpcEndpointType"] for each in endpoints}
    region = "us-east-1" if stack.endswith("us-east-1") else "ap-southeast-1"
    assert {name: kind for name, kind in names.items() if kind == "Interface"} == {
        f"com.amazonaws.{region}.{service}": "Interface" for service in ("ecr.api", "ecr.dkr", "logs")
    }
    gateways = " ".join(name for name, kind in names.items() if kind == "Gateway")
    assert ".s3" in gateways
    assert ".dynamodb" in gateways
    assert len(names) == 5


@pytest.mark.parametrize("stack", STACKS)
def test_traffic_is_logged_and_the_endpoints_are_reached_from_inside_alone(staging: Templates, stack: str) -> None:
    template = staging[stack]
    assert len(template.resources("AWS::EC2::FlowLog")) == 1
    (group,) = template.properties("AWS::EC2::SecurityGroup")
    (rule,) = group["SecurityGroupIngress"]
    assert rule["CidrIp"] == template.properties("AWS::EC2::VPC")[0]["CidrBlock"]
    assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("tcp", 443, 443)


@pytest.mark.parametrize("stack", STACKS)
def test_every_cluster_that_is_followed_is_there_in_every_region(staging: Templates, stack: str) -> None:
    """The reconcile asks each region for the tasks of each cluster; one that is missing fails it."""
    names = [each["ClusterName"] for each in staging[stack].properties("AWS::ECS::Cluster")]
    assert names == CONTEXT["settings"]["staging"]["ecsClusterNames"]
