"""The switches of a region."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App

from cdk.context import read_settings
from cdk.network_stack import NetworkStack
from cdk.switch_stack import SwitchStack
from freeswitch_event_logger.metrics import Metrics
from tests.cdk.conftest import CONTEXT, Template, Templates
from tests.cdk.permissions import granted, readable

STACKS = ("switch", "switch-us-east-1")
HOME, OTHER = "ap-southeast-1", "us-east-1"


def containers(template: Template) -> dict[str, dict[str, Any]]:
    (definition,) = template.properties("AWS::ECS::TaskDefinition")
    return {each["Name"]: each for each in definition["ContainerDefinitions"]}


def environment(container: dict[str, Any]) -> dict[str, Any]:
    return {each["Name"]: each["Value"] for each in container["Environment"]}


def open_to(template: Template, description: str) -> set[tuple[str, str, int, int]]:
    """Return the protocol, network and ports that a security group lets in."""
    (group,) = [
        each for each in template.properties("AWS::EC2::SecurityGroup") if each["GroupDescription"] == description
    ]
    return {
        (rule["IpProtocol"], rule["CidrIp"], rule["FromPort"], rule["ToPort"])
        for rule in group.get("SecurityGroupIngress", [])
    }


@pytest.mark.parametrize("stack", STACKS)
def test_containers_stop_in_the_order_in_which_a_switch_drains(staging: Templates, stack: str) -> None:
    """ECS sends SIGTERM in the reverse order of the dependencies: the app first, the event logger last."""
    depends = {
        name: {each["ContainerName"]: each["Condition"] for each in container.get("DependsOn", [])}
        for name, container in containers(staging[stack]).items()
    }
    assert depends == {
        # The event logger is healthy once it reaches FreeSWITCH: to wait for that would be to wait for ever.
        "freeswitch": {"freeswitch-event-logger": "START"},
        "switch-app": {"freeswitch": "HEALTHY", "nginx": "HEALTHY"},
        "freeswitch-event-logger": {},
        "nginx": {},
    }
    stops = {name: container["StopTimeout"] for name, container in containers(staging[stack]).items()}
    assert stops == {"freeswitch": 120, "switch-app": 120, "freeswitch-event-logger": 120, "nginx": 30}


def test_ports_are_those_that_the_services_function_writes_into_the_tables(staging: Templates) -> None:
    (function,) = [
        each
        for each in staging["services"].properties("AWS::Lambda::Function")
        if "FS_SIP_PORT" in each.get("Environment", {}).get("Variables", {})
    ]
    told = function["Environment"]["Variables"]
    for stack in STACKS:
        given = environment(containers(staging[stack])["freeswitch"])
        for name in ("FS_SIP_PORT", "FS_SIP_ALTERNATIVE_PORT", "FS_EVENT_SOCKET_PORT"):
            assert given[name] == told[name]
    assert (told["FS_SIP_PORT"], told["FS_SIP_ALTERNATIVE_PORT"]) == ("6060", "6080")


@pytest.mark.parametrize("stack", STACKS)
def test_a_switch_is_known_by_the_address_of_its_regions_nat_gateway(staging: Templates, stack: str) -> None:
    given = environment(containers(staging[stack])["freeswitch"])
    network = "network" + stack.removeprefix("switch")
    for name in ("FS_NAT_GATEWAY_IP", "FS_NAT_INSTANCE_IP"):
        export = given[name]["Fn::ImportValue"]
        (output,) = [
            each
            for each in staging[network].content["Outputs"].values()
            if each.get("Export", {}).get("Name") == export
        ]
        assert output["Value"] == staging[network].content["Outputs"]["NatAddress"]["Value"]


@pytest.mark.parametrize(
    ("stack", "alias", "region"), [("switch", "hydrogen", HOME), ("switch-us-east-1", "helium", OTHER)]
)
def test_a_switch_asks_the_home_region_for_what_is_there_alone(
    staging: Templates, stack: str, alias: str, region: str
) -> None:
    app = environment(containers(staging[stack])["switch-app"])
    logger = environment(containers(staging[stack])["freeswitch-event-logger"])
    assert (app["REGION"], app["AWS_DEFAULT_REGION"], logger["AWS_DEFAULT_REGION"]) == (alias, region, region)
    for name in ("SERVICES_FUNCTION_REGION", "FS_RECORDINGS_BUCKET_REGION", "CALL_PLATFORM_PASSWORD_PARAMETER_REGION"):
        assert app[name] == HOME
    assert logger["CALL_PLATFORM_PASSWORD_PARAMETER_REGION"] == HOME


def test_names_of_the_home_region_are_those_that_it_gives(staging: Templates) -> None:
    app = environment(containers(staging["switch-us-east-1"])["switch-app"])
    (bucket,) = [each for each in staging["data"].properties("AWS::S3::Bucket") if "BucketName" in each]
    assert bucket["BucketName"] == app["FS_RECORDINGS_BUCKET_NAME"]
    names = [each.get("FunctionName") for each in staging["services"].properties("AWS::Lambda::Function")]
    assert str(app["SERVICES_FUNCTION_ARN"]).endswith(":function:somleng-switch-staging-services']]}")
    assert "somleng-switch-staging-services" in names


@pytest.mark.parametrize(("stack", "region"), [("switch", HOME), ("switch-us-east-1", OTHER)])
def test_a_switch_may_do_this_and_nothing_else(staging: Templates, stack: str, region: str) -> None:
    arn = "<AWS::AccountId>:{}"
    assert readable(granted(staging[stack], "ServiceTaskDefinitionTaskRole")) == {
        "*": {"polly:DescribeVoices", "polly:SynthesizeSpeech"},
        "arn:aws:s3:::somleng-switch-staging-recordings-<AWS::AccountId>/*.wav": {
            "s3:AbortMultipartUpload",
            "s3:PutObject",
        },
        f"arn:aws:ssm:{HOME}:" + arn.format("parameter/somleng.staging.services_password"): {"ssm:GetParameter"},
        f"arn:aws:lambda:{HOME}:" + arn.format("function:somleng-switch-staging-services"): {"lambda:InvokeFunction"},
        f"arn:aws:ecs:{region}:" + arn.format("task/somleng-switch-staging/*"): {"ecs:UpdateTaskProtection"},
        "<CacheFiles>": {"elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"},
    }


@pytest.mark.parametrize("stack", STACKS)
def test_signalling_media_and_changes_of_calls_come_from_our_networks_alone(staging: Templates, stack: str) -> None:
    home, other = "10.12.0.0/16", "10.22.0.0/16"
    assert open_to(staging[stack], "Switches") == {
        *(("udp", network, port, port) for network in (home, other) for port in (6060, 6080)),
        *(("udp", network, 16_384, 32_768) for network in (home, other)),
        *(("tcp", network, 80, 80) for network in (home, other)),
        ("tcp", home, 8021, 8021),
    }
    given = environment(containers(staging[stack])["freeswitch"])
    assert given["FS_EVENT_SOCKET_NETWORKS"] == f"127.0.0.0/8,{home}"
    assert (given["FS_RTP_PORT_MINIMUM"], given["FS_RTP_PORT_MAXIMUM"]) == ("16384", "32768")


def test_the_cache_is_shared_and_recordings_stay_on_the_instance(staging: Templates) -> None:
    """Each app takes up every recording that it finds at its start: two must never look at the same directory."""
    (definition,) = staging["switch"].properties("AWS::ECS::TaskDefinition")
    volumes = {each["Name"]: each for each in definition["Volumes"]}
    cache = volumes["cache"]["EFSVolumeConfiguration"]
    assert (cache["TransitEncryption"], cache["AuthorizationConfig"]["IAM"]) == ("ENABLED", "ENABLED")
    assert volumes["storage"] == {"Name": "storage", "Host": {"SourcePath": "/var/lib/somleng-switch/storage"}}
    mounts = {
        name: {each["ContainerPath"]: each["SourceVolume"] for each in container["MountPoints"]}
        for name, container in containers(staging["switch"]).items()
    }
    shared = {"/cache": "cache", "/var/lib/freeswitch/storage": "storage"}
    assert mounts["freeswitch"] == mounts["switch-app"] == shared
    assert mounts["freeswitch-event-logger"] == {"/var/lib/freeswitch/storage": "storage"}
    (template,) = staging["switch"].properties("AWS::EC2::LaunchTemplate")
    script = template["LaunchTemplateData"]["UserData"]["Fn::Base64"]
    assert "install --directory --owner=509 --group=509 --mode=0750 /var/lib/somleng-switch/storage\n" in script


def test_the_cache_is_encrypted_and_belongs_to_the_containers_user(staging: Templates) -> None:
    (files,) = staging["switch"].resources("AWS::EFS::FileSystem")
    assert files["Properties"]["Encrypted"] is True
    assert files["DeletionPolicy"] == "Delete", "what is in it can be made again"
    assert len(staging["switch"].resources("AWS::EFS::MountTarget")) == 2
    (directory,) = staging["switch"].properties("AWS::EFS::AccessPoint")
    assert directory["PosixUser"] == {"Uid": "509", "Gid": "509"}
    (service,) = staging["switch"].resources("AWS::ECS::Service")
    kinds = {staging["switch"].content["Resources"][each]["Type"] for each in service["DependsOn"]}
    assert "AWS::EFS::MountTarget" in kinds


@pytest.mark.parametrize("stack", STACKS)
def test_switches_are_added_by_the_sessions_that_the_event_logger_counts(staging: Templates, stack: str) -> None:
    policies = staging[stack].properties("AWS::ApplicationAutoScaling::ScalingPolicy")
    tracked = [each["TargetTrackingScalingPolicyConfiguration"] for each in policies]
    cpu, sessions = sorted(tracked, key=lambda each: "CustomizedMetricSpecification" in each)
    assert (cpu["TargetValue"], sessions["TargetValue"]) == (30, 100)
    metric = sessions["CustomizedMetricSpecification"]
    assert metric["Statistic"] == "Average"

    written = io.StringIO()
    service = environment(containers(staging[stack])["freeswitch-event-logger"])["SERVICE_NAME"]
    Metrics(service, written).publish({"SessionCount": 7})
    line = json.loads(written.getvalue())
    (emitted,) = line["_aws"]["CloudWatchMetrics"]
    assert metric["Namespace"] == emitted["Namespace"]
    assert metric["MetricName"] in [each["Name"] for each in emitted["Metrics"]]
    dimensions = {each["Name"]: each["Value"] for each in metric["Dimensions"]}
    assert emitted["Dimensions"] == [list(dimensions)]
    assert {name: line[name] for name in dimensions} == dimensions


def test_new_calls_come_to_switches_that_take_them(staging: Templates) -> None:
    (balancer,) = staging["switch"].properties("AWS::ElasticLoadBalancingV2::LoadBalancer")
    attributes = {each["Key"]: each["Value"] for each in balancer["LoadBalancerAttributes"]}
    assert (balancer["Scheme"], attributes["access_logs.s3.enabled"]) == ("internal", "true")
    (group,) = staging["switch"].properties("AWS::ElasticLoadBalancingV2::TargetGroup")
    assert (group["HealthCheckPath"], group["TargetType"]) == ("/health_checks", "ip")
    (service,) = staging["switch"].properties("AWS::ECS::Service")
    (target,) = service["LoadBalancers"]
    assert (target["ContainerName"], target["ContainerPort"]) == ("nginx", 80)
    assert open_to(staging["switch"], "Load balancer of the switches") == {
        ("tcp", network, 80, 80) for network in ("10.12.0.0/16", "10.22.0.0/16")
    }


def test_with_a_certificate_it_speaks_https_to_the_platforms_networks_too(tmp_path: Path) -> None:
    certificate = "arn:aws:acm:ap-southeast-1:123456789012:certificate/0123abcd"
    networks = [dict(each) for each in CONTEXT["settings"]["common"]["networks"]]
    networks[0]["certificate_arn"] = certificate
    context = {**CONTEXT, "environment": "production", "networks": networks, "callPlatformNetworks": "172.31.0.0/16"}
    app = App(context=context, outdir=str(tmp_path))
    settings = read_settings(app.node.get_all_context())
    network = NetworkStack(app, "network", settings=settings, region=settings.home)
    SwitchStack(app, "switch", settings=settings, region=settings.home, network=network)
    app.synth()
    path = tmp_path / "switch.template.json"
    template = Template(path, json.loads(path.read_text()))
    (listener,) = template.properties("AWS::ElasticLoadBalancingV2::Listener")
    assert (listener["Protocol"], listener["Port"]) == ("HTTPS", 443)
    assert listener["Certificates"] == [{"CertificateArn": certificate}]
    assert ("tcp", "172.31.0.0/16", 443, 443) in open_to(template, "Load balancer of the switches")
    assert ("tcp", "172.31.0.0/16", 80, 80) in open_to(template, "Switches")
