"""The shared constructs: instances for tasks, and services of containers."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cdk.conftest import Template
from tests.cdk.permissions import granted, readable
from tests.cdk.trial_service import trial


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The trial stack; that it synthesises says that cdk-nag finds nothing."""
    outdir = tmp_path_factory.mktemp("trial")
    trial(str(outdir)).synth()
    path = outdir / "trial.template.json"
    return Template(path, json.loads(path.read_text()))


def named(template: Template, kind: str, key: str, value: str) -> dict[str, Any]:
    (found,) = [each for each in template.properties(kind) if each[key] == value]
    return found


def test_each_service_has_its_own_cluster_and_provider(template: Template) -> None:
    clusters = {}
    for association in template.properties("AWS::ECS::ClusterCapacityProviderAssociations"):
        (provider,) = association["CapacityProviders"]
        clusters[association["Cluster"]] = provider
    assert sorted(clusters) == ["somleng-switch-media-proxy", "somleng-switch-public-gateway"]
    for service in template.resources("AWS::ECS::Service"):
        (strategy,) = service["Properties"]["CapacityProviderStrategy"]
        assert strategy["CapacityProvider"] == clusters[service["Properties"]["Cluster"]]
        depends = [template.content["Resources"][each]["Type"] for each in service["DependsOn"]]
        assert "AWS::ECS::ClusterCapacityProviderAssociations" in depends


def test_instances_come_with_tasks_and_end_after_them(template: Template) -> None:
    for provider in template.properties("AWS::ECS::CapacityProvider"):
        managed = provider["AutoScalingGroupProvider"]
        assert managed["ManagedScaling"]["Status"] == "ENABLED"
        assert managed["ManagedScaling"]["TargetCapacity"] == 100
        assert managed["ManagedDraining"] == managed["ManagedTerminationProtection"] == "ENABLED"
        group = template.content["Resources"][managed["AutoScalingGroupArn"]["Ref"]]["Properties"]
        assert group["NewInstancesProtectedFromScaleIn"] is True
        assert group["MinSize"] == "0"
    sizes = [each["MaxSize"] for each in template.properties("AWS::AutoScaling::AutoScalingGroup")]
    assert sizes == ["8", "4"], "twice the tasks, so that new ones start beside old ones; once, where they cannot"


def test_instances_speak_imdsv2_and_have_an_encrypted_disk_and_no_way_in(template: Template) -> None:
    for each in template.properties("AWS::EC2::LaunchTemplate"):
        data = each["LaunchTemplateData"]
        assert data["MetadataOptions"] == {"HttpTokens": "required", "HttpPutResponseHopLimit": 1}
        (disk,) = data["BlockDeviceMappings"]
        assert (disk["Ebs"]["Encrypted"], disk["Ebs"]["VolumeType"]) == (True, "gp3")
        assert data["InstanceType"] == "t4g.small"
        assert "arm64" in data["ImageId"]["Ref"]
        assert "KeyName" not in data
    assert not [each for each in template.properties("AWS::EC2::SecurityGroup") if "SecurityGroupIngress" in each]


def test_one_setting_makes_everything_x86_64(tmp_path: Path) -> None:
    trial(str(tmp_path), architecture="x86_64").synth()
    path = tmp_path / "trial.template.json"
    templates = Template(path, json.loads(path.read_text())).properties("AWS::EC2::LaunchTemplate")
    assert len(templates) == 2
    for each in templates:
        data = each["LaunchTemplateData"]
        assert data["InstanceType"] == "t3.small"
        assert "arm64" not in data["ImageId"]["Ref"]


def test_user_data_is_run_before_the_agent_and_its_failure_ends_the_instance(
    template: Template, tmp_path: Path
) -> None:
    scripts = [
        each["LaunchTemplateData"]["UserData"]["Fn::Base64"] for each in template.properties("AWS::EC2::LaunchTemplate")
    ]
    (script,) = [each for each in scripts if "assign-address" in each]
    configuration = tmp_path / "ecs.config"
    script = script.replace("/etc/ecs/ecs.config", str(configuration))

    def run(assign: str) -> tuple[int, str]:
        programs = f'assign-address() {{ {assign}; }}; systemctl() {{ echo "systemctl $*"; }}\n'
        programs += 'shutdown() { echo "shutdown $*"; }\n'
        done = subprocess.run(["bash", "-c", programs + script], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    assert run("false") == (1, "systemctl mask --now ecs\nshutdown -h +1\n")
    assert not configuration.exists()
    assert run("true") == (0, "")
    settings = dict(line.split("=", 1) for line in configuration.read_text().splitlines())
    assert settings["ECS_CLUSTER"] == "somleng-switch-media-proxy"
    assert settings["ECS_AWSVPC_BLOCK_IMDS"] == "true"


def test_a_task_has_an_address_of_its_own_or_its_instances(template: Template) -> None:
    own = named(template, "AWS::ECS::TaskDefinition", "Family", "public-gateway")
    shared = named(template, "AWS::ECS::TaskDefinition", "Family", "media-proxy")
    assert (own["NetworkMode"], shared["NetworkMode"]) == ("awsvpc", "host")
    service = named(template, "AWS::ECS::Service", "ServiceName", "public-gateway")
    network = service["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert all("PrivateSubnet" in str(subnet) for subnet in network["Subnets"])
    assert network["AssignPublicIp"] == "DISABLED"
    assert "NetworkConfiguration" not in named(template, "AWS::ECS::Service", "ServiceName", "media-proxy")


def test_containers_are_what_they_were_described_as(template: Template) -> None:
    definition = named(template, "AWS::ECS::TaskDefinition", "Family", "public-gateway")
    containers = {each["Name"]: each for each in definition["ContainerDefinitions"]}
    gateway, scheduler = containers["gateway"], containers["scheduler"]
    assert gateway["DependsOn"] == [{"ContainerName": "scheduler", "Condition": "HEALTHY"}]
    assert (gateway["StopTimeout"], scheduler["StopTimeout"]) == (120, 30)
    assert [(each["HostPort"], each["Protocol"]) for each in gateway["PortMappings"]] == [(5060, "udp"), (5060, "tcp")]
    assert gateway["HealthCheck"]["Command"] == ["CMD", "/opt/gateway/healthcheck.sh"]
    assert (gateway["ReadonlyRootFilesystem"], scheduler["ReadonlyRootFilesystem"]) == (False, True)
    assert scheduler["Environment"] == [{"Name": "GATEWAY_KIND", "Value": "public"}]
    (secret,) = scheduler["Secrets"]
    assert secret["Name"] == "FS_EVENT_SOCKET_PASSWORD"
    assert str(secret["ValueFrom"]).endswith(":secret:somleng-switch/production/event-socket-password']]}")
    groups = {each["LogConfiguration"]["Options"]["awslogs-group"]["Ref"] for each in containers.values()}
    assert len(groups) == 2
    for name in groups:
        assert template.content["Resources"][name]["Properties"]["RetentionInDays"] == 30


def test_a_deployment_that_fails_is_taken_back_and_each_task_has_its_instance(template: Template) -> None:
    for service in template.properties("AWS::ECS::Service"):
        breaker = service["DeploymentConfiguration"]["DeploymentCircuitBreaker"]
        assert breaker == {"Enable": True, "Rollback": True}
        assert service["PlacementConstraints"] == [{"Type": "distinctInstance"}]
        assert service["AvailabilityZoneRebalancing"] == "DISABLED"
        assert "DesiredCount" not in service, "an update must not undo what the scaling did"
    bounds = [
        (each["MinCapacity"], each["MaxCapacity"])
        for each in template.properties("AWS::ApplicationAutoScaling::ScalableTarget")
    ]
    assert bounds == [(1, 4), (1, 4)]


def test_ecs_may_start_this_task_and_no_other_and_its_containers_nothing(
    template: Template,
) -> None:
    arn = "arn:aws:{}:ap-southeast-1:<AWS::AccountId>:{}"
    assert readable(granted(template, "OwnTaskDefinitionExecutionRole")) == {
        "*": {"ecr:GetAuthorizationToken"},
        **{
            arn.format("ecr", f"repository/somleng-switch/{name}"): {
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:GetDownloadUrlForLayer",
            }
            for name in ("gateway-scheduler", "public-gateway")
        },
        "<OwnGatewayLog>": {"logs:CreateLogStream", "logs:PutLogEvents"},
        "<OwnSchedulerLog>": {"logs:CreateLogStream", "logs:PutLogEvents"},
        arn.format("secretsmanager", "secret:somleng-switch/production/event-socket-password-??????"): {
            "secretsmanager:DescribeSecret",
            "secretsmanager:GetSecretValue",
        },
    }
    assert granted(template, "OwnTaskDefinitionTaskRole") == {}


def test_an_instance_may_join_its_cluster_and_nothing_else(template: Template) -> None:
    arn = "arn:aws:ecs:ap-southeast-1:<AWS::AccountId>:"
    assert granted(template, "OwnCapacityRole") == {
        "*": {"ecs:DiscoverPollEndpoint"},
        f"{arn}cluster/somleng-switch-public-gateway": {
            "ecs:DeregisterContainerInstance",
            "ecs:RegisterContainerInstance",
            "ecs:SubmitAttachmentStateChanges",
            "ecs:SubmitContainerStateChange",
            "ecs:SubmitTaskStateChange",
        },
        f"{arn}container-instance/somleng-switch-public-gateway/*": {"ecs:Poll", "ecs:StartTelemetrySession"},
    }
    for role in template.properties("AWS::IAM::Role"):
        assert not {"ManagedPolicyArns", "Policies"} & set(role)
