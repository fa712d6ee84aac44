"""Settings: read from the context, checked, and each mistake named by its key."""

import json
from typing import Any

import pytest

from cdk.context import read_settings
from cdk.errors import SettingsError
from cdk.settings import Architecture, Environment
from tests.cdk.conftest import CONTEXT, ENVIRONMENTS

REGION = CONTEXT["settings"]["common"]["regions"][0]
NETWORK = CONTEXT["settings"]["common"]["networks"][0]
CERTIFICATE_ELSEWHERE = "arn:aws:acm:us-east-1:123456789012:certificate/1"
CLUSTERS = CONTEXT["settings"]["production"]["ecsClusterNames"]


def read(environment: str = "production", **overrides: Any) -> Any:
    return read_settings({**CONTEXT, "environment": environment, **overrides})


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_environment_of_cdk_json_can_be_read(environment: str) -> None:
    assert read(environment).environment is Environment(environment)


def test_who_names_no_environment_gets_staging() -> None:
    assert read_settings(CONTEXT).environment is Environment.STAGING


def test_an_environment_differs_from_what_all_share() -> None:
    local, production = read("local"), read("production")
    assert (local.architecture, production.architecture) == (Architecture.HOST, Architecture.ARM64)
    assert (local.protect_data, production.protect_data) == (False, True)
    assert local.regions == production.regions


def test_a_value_of_the_command_line_goes_before_the_file() -> None:
    settings = read(
        logRetentionDays="90",
        ecsClusterNames=",".join(["one", *CLUSTERS]),
        protectData="false",
        alarmEmail="noc@example.org",
        regions=json.dumps([{**REGION, "alias": "a"}]),
        networks=json.dumps([NETWORK]),
    )
    assert settings.log_retention_days == 90
    assert settings.ecs.cluster_names == ("one", *CLUSTERS)
    assert settings.protect_data is False
    assert settings.alarm_email == "noc@example.org"
    assert [region.alias for region in settings.regions] == ["a"]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("environment", "moon", "must be one of local, staging, production"),
        ("environment", None, "must be one of"),
        ("architecture", "sparc", "must be one of arm64, x86_64, host"),
        ("switchSipPort", "sip", "must be a number"),
        ("switchSipPort", "65536", "must be a port"),
        ("switchEventSocketPort", "0", "must be a port"),
        ("mediaProxyNgPort", True, "must be a number"),
        ("protectData", "perhaps", "must be true or false"),
        ("homeRegion", "", "must be a text that is not empty"),
        ("homeRegion", "eu-west-1", "must be one of 'regions'"),
        ("ecsClusterNames", [], "must be a list that is not empty"),
        ("regions", "hydrogen", "must be JSON"),
        ("regions", [REGION, REGION], "must differ from each other in 'identifier'"),
        ("callPlatformHost", "services.example.org", "must be http"),
        ("callPlatformHost", "http://services.example.org", "must be https outside the local environment"),
        ("queueMaxConcurrency", "1", "must be 2 to 1000"),
        ("queueBatchSize", "11", "must be 1 to 10"),
        ("queueVisibilitySeconds", "60", "must be at least 6 x servicesTimeoutSeconds"),
        ("eventsRetries", "3", "must be 0 to 2"),
        ("eventsMaxAgeSeconds", "10", "must be 60 to 21600"),
        ("logRetentionDays", "8", "must be one of 1, 3, 5"),
        ("recordingRetentionDays", "0", "must be 1 to 3653, not 0"),
        ("accessLogRetentionDays", "0", "must be 1 to 3653"),
        ("reconcileIntervalMinutes", "0", "must be 1 to 1440"),
        ("servicesMemoryMegabytes", "64", "must be 128 to 10240"),
        ("s3MpegTimeoutSeconds", "901", "must be 1 to 900"),
        ("servicesReservedConcurrency", "4", "must be at least queueMaxConcurrency"),
        ("s3MpegReservedConcurrency", "0", "must be 1 to 1000"),
        ("queueVisibilitySeconds", "43201", "must be 1 to 43200"),
        ("queueMaxReceives", "0", "must be 1 to 1000"),
        ("queueMaxAgeSeconds", "0", "must be 60 to 1209600"),
        ("logLevel", "CHATTY", "must be one of DEBUG, INFO"),
        ("mp3BitRate", "fast", "must be from 8k to 320k"),
        ("mp3BitRate", "4k", "must be from 8k to 320k"),
        ("recordingsBucketName", "Recordings", "must be the name of an S3 bucket"),
        ("callPlatformHost", "https://services:secret@example.org", "must be http"),
        ("callPlatformPasswordParameter", "a b", "must be the name of an SSM parameter"),
        ("callPlatformUsername", "", "must be a text that is not empty"),
        ("ecsClusterNames", "arn:aws:ecs:ap-southeast-1:1:cluster/a", "must be names of ECS clusters"),
        ("ecsSwitchService", "service:switch", "must be the name of an ECS service"),
        ("ecsSwitchService", "media-proxy", "must differ from each other"),
        ("alarmEmail", "somebody", "must be an e-mail address"),
        ("ecsPublicGatewayService", "", "must be a text that is not empty"),
        ("ecsSwitchCluster", "elsewhere", "must be one of 'ecsClusterNames', not 'elsewhere'"),
        ("ecsSwitchCluster", "somleng-switch-media-proxy", "must differ from each other in name: each service has"),
        ("ecsMediaProxyCluster", "a:b", "must be the name of an ECS cluster"),
        ("architecture", "host", "must be arm64 or x86_64 outside the local environment"),
        ("imageTag", "a b", "must be the tag of an image"),
        ("imageRepositoryPrefix", "Somleng", "must be the first part of a repository's name"),
        ("networks", [NETWORK], "must be one for each of 'regions'"),
        ("networks", [NETWORK, {**NETWORK, "region": "us-east-1"}], "must not overlap"),
        ("networks", [NETWORK, {**NETWORK, "cidr": "10.30.0.0/16"}], "must differ from each other in 'region'"),
        ("vpcInterfaceEndpoints", "ssm,Secrets", "must be names of AWS services"),
        ("callPlatformNetworks", "10.0.0.1/8", "must be an IP network"),
        ("switchTasksInstanceType", "t3.small", "must be of architecture arm64; 't3.small' is x86_64"),
        ("mediaProxyTasksInstanceType", "large", "must be the name of an EC2 instance type"),
        ("publicGatewayTasksMaximum", "0", "must be 1 to 1000"),
        ("clientGatewayTasksMaximum", "1", "must be 2 to 1000, not 1"),
        ("switchTasksMinimum", "1001", "must be 0 to 1000"),
        ("switchTasksCpuUnits", "64", "must be 128 to"),
        ("switchTasksMemoryMegabytes", "128", "must be 256 to"),
        ("switchTargetSessions", "151", "must be 1 to 150"),
        ("switchMaximumSessions", "0", "must be 1 to"),
        ("switchTargetCpuPercent", "101", "must be 1 to 100"),
        ("switchSipPort", "5081", "must differ from each other in number"),
        ("publicGatewaySipPort", "5080", "must differ from each other in number"),
        ("publicGatewayGlobalAccelerator", "perhaps", "must be true or false"),
        ("publicGatewayTargetCpuPercent", "0", "must be 1 to 100"),
        ("clientGatewayRealm", "somleng", "must be a domain name"),
        ("clientGatewayTargetCpuPercent", "0", "must be 1 to 100"),
        ("mediaProxyPortMaximum", "30002", "must be 30003 to 65535"),
        ("mediaProxyPortMinimum", "0", "must be a port"),
        ("mediaProxyTargetCpuPercent", "0", "must be 1 to 100"),
        ("alarmAtCallsRefused", "0", "must be 1 to 1000000"),
        ("alarmAtRequestsRefused", "0", "must be 1 to 1000000"),
        ("alarmAtNotificationsDropped", "0", "must be 1 to 1000000"),
        ("alarmAtDataAgeSeconds", "59", "must be 60 to 86400"),
        ("alarmAtRecordAgeSeconds", "59", "must be 60 to 86400"),
        ("alarmAtSessionsPercent", "101", "must be 1 to 100"),
        ("alarmAtCpuPercent", "0", "must be 1 to 100"),
    ],
)
def test_a_wrong_value_is_named_by_its_key(key: str, value: Any, said: str) -> None:
    with pytest.raises(SettingsError, match=said) as raised:
        read(**{key: value})
    assert raised.value.key == key
    assert f"setting '{key}'" in str(raised.value)


@pytest.mark.parametrize(
    ("key", "region"),
    [
        ("regions[0].alias", {name: value for name, value in REGION.items() if name != "alias"}),
        ("regions[0].colour", {**REGION, "colour": "blue"}),
        ("regions[0].group_id", {**REGION, "group_id": "first"}),
        ("regions[0].nat_ip", {**REGION, "nat_ip": "13.250.230"}),
        ("regions[0].identifier", {**REGION, "identifier": "Singapore"}),
        ("regions[0]", "hydrogen"),
    ],
)
def test_a_wrong_region_is_named_by_its_place(key: str, region: Any) -> None:
    with pytest.raises(SettingsError) as raised:
        read(regions=[region])
    assert raised.value.key == key


@pytest.mark.parametrize(
    ("key", "network"),
    [
        ("networks[0].cidr", {**NETWORK, "cidr": "10.10.0.1/16"}),
        ("networks[0].cidr", {**NETWORK, "cidr": "10.0.0.0/8"}),
        ("networks[0].nat_allocation_id", {**NETWORK, "nat_allocation_id": "13.250.230.15"}),
        (
            "networks[0].certificate_arn",
            {**NETWORK, "certificate_arn": CERTIFICATE_ELSEWHERE},
        ),
        ("networks[0].colour", {**NETWORK, "colour": "blue"}),
        ("networks[0].region", {"cidr": "10.10.0.0/16"}),
    ],
)
def test_a_wrong_network_is_named_by_its_place(key: str, network: Any) -> None:
    with pytest.raises(SettingsError) as raised:
        read(networks=[network])
    assert raised.value.key == key


@pytest.mark.parametrize(
    ("instance_type", "machine"),
    [
        ("t4g.small", "arm64"),
        ("c7gn.large", "arm64"),
        ("a1.large", "arm64"),
        ("t3.small", "x86_64"),
        ("g4dn.xlarge", "x86_64"),
    ],
)
def test_an_instance_type_fits_the_architecture(instance_type: str, machine: str) -> None:
    kinds = ("switch", "publicGateway", "clientGateway", "mediaProxy")
    types = {f"{kind}TasksInstanceType": instance_type for kind in kinds}
    assert read(architecture=machine, **types).switch_tasks.instance_type == instance_type
    other = {"arm64": "x86_64", "x86_64": "arm64"}[machine]
    with pytest.raises(SettingsError, match=f"must be of architecture {other}; '{instance_type}' is {machine}"):
        read(architecture=other, **types)


def test_a_clients_domain_goes_with_its_zone() -> None:
    zone = {"clientGatewayHostedZoneId": "Z0123456789", "clientGatewayHostedZoneName": "example.org"}
    assert read(clientGatewayDomain="sip.example.org", **zone).client_gateway.domain == "sip.example.org"
    with pytest.raises(SettingsError, match="setting 'clientGatewayDomain' is missing"):
        read(**zone)
    with pytest.raises(SettingsError, match="setting 'clientGatewayHostedZoneId' is missing"):
        read(clientGatewayDomain="sip.example.org")
    with pytest.raises(SettingsError, match="setting 'clientGatewayDomain' must be in the zone"):
        read(clientGatewayDomain="sip.badexample.org", **zone)


@pytest.mark.parametrize("key", ["swichSipPort", "switch_sip_port", "SWITCHSIPPORT"])
def test_a_misspelt_key_is_named(key: str) -> None:
    with pytest.raises(SettingsError, match=f"setting '{key}' is not a setting; is it misspelt"):
        read(**{key: "5060"})


@pytest.mark.parametrize("name", ["alias", "group_id"])
def test_two_regions_of_one_name_or_group_are_refused(name: str) -> None:
    other = {**REGION, "identifier": "us-east-1", "alias": "helium", "group_id": 2}
    with pytest.raises(SettingsError, match=f"setting 'regions' must differ from each other in '{name}'"):
        read(regions=[REGION, {**other, name: REGION[name]}])


@pytest.mark.parametrize("name", ["common", "production"])
def test_settings_that_are_no_object_are_named(name: str) -> None:
    with pytest.raises(SettingsError, match=f"setting 'settings.{name}' must be an object"):
        read(settings={**CONTEXT["settings"], name: ["switchSipPort"]})


@pytest.mark.parametrize("key", ["homeRegion", "queueBatchSize", "mp3BitRate"])
def test_a_missing_key_is_named(key: str) -> None:
    settings = CONTEXT["settings"]
    common = {name: value for name, value in settings["common"].items() if name != key}
    with pytest.raises(SettingsError, match=f"setting '{key}' is missing"):
        read(settings={**settings, "common": common})


def test_an_environment_that_cdk_json_lacks_is_named() -> None:
    with pytest.raises(SettingsError, match=r"settings\.production"):
        read(settings={"common": CONTEXT["settings"]["common"]})


def test_the_cdks_own_context_is_no_setting() -> None:
    read(**{"@aws-cdk/core:newStyleStackSynthesis": True, "aws:cdk:bundling-stacks": ["**"]})
