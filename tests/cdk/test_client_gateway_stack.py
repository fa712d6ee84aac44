"""The client gateways' stack."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App

from cdk import nag
from cdk.application import ROOT
from cdk.client_gateway_stack import ClientGatewayStack
from cdk.context import read_settings
from cdk.data_stack import DataStack
from cdk.media_proxy_stack import MediaProxyStack
from cdk.network_stack import NetworkStack
from tests.cdk.conftest import CONTEXT, Template, Templates
from tests.cdk.ecs_templates import containers, environment, ingress, names, ports
from tests.cdk.permissions import granted, readable, statements

ZONE = {
    "clientGatewayDomain": "sip.example.org",
    "clientGatewayHostedZoneId": "Z0123456789ABC",
    "clientGatewayHostedZoneName": "example.org",
}


@pytest.fixture
def template(staging: Templates) -> Template:
    return staging["client-gateway"]


@pytest.fixture(scope="module")
def with_domain(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The stack of a deployment whose settings name a domain; that it synthesises says that cdk-nag finds nothing."""
    outdir = tmp_path_factory.mktemp("domain")
    context = {**CONTEXT, "environment": "production", **ZONE}
    app = App(context=context, outdir=str(outdir))
    settings = read_settings(context)
    network = NetworkStack(app, "network", settings=settings, region=settings.home)
    data = DataStack(app, "data", settings=settings)
    media_proxy = MediaProxyStack(app, "proxy", settings=settings, network=network)
    ClientGatewayStack(app, "gateway", settings=settings, network=network, data=data, media_proxy=media_proxy)
    nag.check(app)
    app.synth()
    path = outdir / "gateway.template.json"
    return Template(path, json.loads(path.read_text()))


def user_data(template: Template) -> str:
    (launch,) = template.properties("AWS::EC2::LaunchTemplate")
    return str(launch["LaunchTemplateData"]["UserData"]["Fn::Base64"])


def test_there_is_an_elastic_ip_for_each_task_which_outlives_the_stack(template: Template) -> None:
    addresses = template.resources("AWS::EC2::EIP")
    tags = [{tag["Key"]: tag["Value"] for tag in each["Properties"]["Tags"]} for each in addresses]
    assert [(each["service"], each["priority"]) for each in tags] == [
        ("client-gateway-staging", "1"),
        ("client-gateway-staging", "2"),
    ]
    assert {each["DeletionPolicy"] for each in addresses} == {"Retain"}
    (group,) = template.properties("AWS::AutoScaling::AutoScalingGroup")
    assert group["MaxSize"] == "2", "an instance more would find no address"


def test_an_instance_takes_one_before_it_gets_a_task(template: Template, tmp_path: Path) -> None:
    """The script of the repository, whole, in a shell that has no more than the names of what it runs."""
    installed, configuration = tmp_path / "assign-elastic-ip", tmp_path / "ecs.config"
    script = user_data(template).replace("/usr/local/bin/assign-elastic-ip", str(installed))
    script = script.replace("/etc/ecs/ecs.config", str(configuration))
    programs = 'install() { echo "install $*"; }\nsystemctl() { :; }\nshutdown() { echo "ended"; }\n'

    def run(assigns: str) -> str:
        fake = f'bash() {{ shift; echo "assign $*"; {assigns}; }}\n'
        return subprocess.run(["bash", "-c", programs + fake + script], capture_output=True, text=True).stdout

    made = "install --directory --owner=506 --group=506 --mode=0750 /var/lib/somleng-switch/client-gateway\n"
    asked = "assign client-gateway-staging ap-southeast-1\n"
    assert run("false") == f"{made}{asked}ended\n"
    assert not configuration.exists()
    assert run("true") == made + asked
    assert "ECS_CLUSTER=somleng-switch-staging-client-gateway" in configuration.read_text()
    source = (ROOT / "cdk" / "instances" / "assign_elastic_ip.sh").read_text().splitlines()
    assert installed.read_text().splitlines() == [line for line in source if not line.startswith("#!")]
    assert len(user_data(template)) < 16_000, "EC2 takes no more than 16 KB"


def test_an_instance_may_take_the_services_addresses_and_no_others(template: Template) -> None:
    arn = "arn:aws:ec2:ap-southeast-1:<AWS::AccountId>:"
    allowed = {name: each for name, each in granted(template, "CapacityRole").items() if "ec2:" in str(each)}
    assert allowed == {
        "*": {"ecs:DiscoverPollEndpoint", "ec2:DescribeAddresses"},
        f"{arn}elastic-ip/*": {"ec2:AssociateAddress"},
        f"{arn}instance/*": {"ec2:AssociateAddress"},
    }
    conditions = {str(each["Action"]): each.get("Condition") for each in statements(template, "CapacityRole")}
    assert conditions["ec2:AssociateAddress"] == {"StringEquals": {"aws:ResourceTag/service": "client-gateway-staging"}}
    assert conditions["ec2:DescribeAddresses"] == {"StringEquals": {"aws:RequestedRegion": "ap-southeast-1"}}
    (group,) = template.properties("AWS::AutoScaling::AutoScalingGroup")
    tags = {tag["Key"]: tag for tag in group["Tags"]}
    assert (tags["service"]["Value"], tags["service"]["PropagateAtLaunch"]) == ("client-gateway-staging", True)


def test_what_the_containers_are_told(template: Template) -> None:
    made = containers(template)
    assert environment(made["gateway"]) == {
        "SIP_ADVERTISED_ADDRESS": "instance-metadata",
        "SIP_PORT": "5060",
        "SIP_REALM": "somleng.org",
        "SWITCH_GROUP_ID": "1",
        "DRAIN_TIMEOUT": "110",
    }
    assert ports(made["gateway"]) == [("udp", 5060), ("tcp", 5060)]
    told = environment(made["scheduler"])
    assert told["GATEWAY_KIND"] == "client"
    assert told["SIP_ADVERTISED_ADDRESS"] == "instance-metadata"
    assert "GATEWAY_NAME" not in told, "contacts are kept under the Elastic IP"


def test_contacts_and_dialogs_are_on_the_instances_disk(template: Template) -> None:
    (definition,) = template.properties("AWS::ECS::TaskDefinition")
    assert definition["NetworkMode"] == "host"
    (volume,) = definition["Volumes"]
    assert volume["Host"] == {"SourcePath": "/var/lib/somleng-switch/client-gateway"}
    for container in containers(template).values():
        (mount,) = container["MountPoints"]
        assert (mount["SourceVolume"], mount["ContainerPath"]) == (volume["Name"], "/var/lib/opensips")


@pytest.mark.parametrize(("environment_name", "least"), [("staging", 0), ("with_domain", 50)])
def test_tasks_are_replaced_in_place(
    template: Template, with_domain: Template, environment_name: str, least: int
) -> None:
    """One at a time of two; where there may be one alone, it ends before the next begins."""
    chosen = template if environment_name == "staging" else with_domain
    (service,) = chosen.properties("AWS::ECS::Service")
    deployment = service["DeploymentConfiguration"]
    assert (deployment["MinimumHealthyPercent"], deployment["MaximumPercent"]) == (least, 100)


def test_clients_come_from_everywhere_and_gateways_reach_media_proxies(template: Template) -> None:
    assert ingress(template, "CapacityInstances") == {
        ("udp", 5060, 5060, "0.0.0.0/0"),
        ("tcp", 5060, 5060, "0.0.0.0/0"),
    }
    (rule,) = template.properties("AWS::EC2::SecurityGroupIngress")
    assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("udp", 2223, 2223)
    assert "media-proxy:ExportsOutputFnGetAttCapacityInstances" in names(rule["GroupId"])
    assert names(rule["SourceSecurityGroupId"]).startswith("CapacityInstances")


def test_without_a_domain_there_is_no_record(template: Template) -> None:
    assert template.resources("AWS::Route53::RecordSet") == []
    assert template.resources("Custom::ServiceAction") == []
    assert "PublicIp" in str(template.content["Outputs"]["SipAddresses"])


def test_the_domain_leads_to_each_address_that_answers(with_domain: Template) -> None:
    addresses = [name for name, each in with_domain.content["Resources"].items() if each["Type"] == "AWS::EC2::EIP"]
    records = with_domain.properties("AWS::Route53::RecordSet")
    for number, (record, name) in enumerate(zip(records, addresses, strict=True), start=1):
        address = {"Fn::GetAtt": [name, "PublicIp"]}
        assert (record["Name"], record["Type"]) == ("sip.example.org", "A")
        assert (record["MultiValueAnswer"], record["SetIdentifier"]) == (True, f"production-{number}")
        assert record["ResourceRecords"] == [address]
        check: dict[str, Any] = with_domain.content["Resources"][record["HealthCheckId"]["Fn::GetAtt"][0]]
        config = check["Properties"]["HealthCheckConfig"]
        assert (config["Type"], config["Port"], config["IPAddress"]) == ("TCP", 5060, address)


def test_the_gateways_are_told_of_the_domain_by_the_services_function(with_domain: Template) -> None:
    (resource,) = with_domain.properties("Custom::ServiceAction")
    assert resource["serviceAction"] == "CreateDomain"
    assert resource["parameters"] == {"domain": "sip.example.org"}
    assert "function:somleng-switch-production-services" in str(resource["ServiceToken"])
    assert resource["ServiceTimeout"] == "120", "a deployment that hears nothing fails, and does not wait for an hour"


def test_cfn_lint_finds_nothing_with_a_domain(with_domain: Template) -> None:
    command = [str(Path(sys.executable).parent / "cfn-lint"), "--", str(with_domain.path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_task_may_read_its_tables_and_write_contacts(template: Template) -> None:
    rows = {"dynamodb:BatchGetItem", "dynamodb:Scan"}
    assert readable(granted(template, "ServiceTaskDefinitionTaskRole")) == {
        "<TablesLoadBalancerTargets>": rows,
        "<TablesSubscribers>": rows,
        "<TablesDomains>": rows,
        "<TablesMediaProxies>": rows,
        "<TablesRoutingChanges>": {"dynamodb:BatchGetItem", "dynamodb:Query"},
        "<TablesRegistrations>": {"dynamodb:BatchWriteItem", "dynamodb:Scan"},
    }
