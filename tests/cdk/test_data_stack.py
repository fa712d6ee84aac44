"""The data stack: tables as the routing layer expects them, and the recordings bucket."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from routing import Table
from tests.cdk.conftest import CONTEXT, Template, Templates
from tests.support.routing_tables import SORT_KEYS

EXPIRING = {
    Table.LOAD_BALANCER_TARGETS,
    Table.DOMAINS,
    Table.MEDIA_PROXIES,
    Table.REGISTRATIONS,
    Table.ROUTING_CHANGES,
}
"""Tables with items that go by themselves: tombstones, contacts, changes."""


def tables(template: Template) -> dict[Table, dict[str, Any]]:
    """Return the tables' properties, each by what its output says it is."""
    by_id = {
        name: each["Properties"]
        for name, each in template.content["Resources"].items()
        if each["Type"] == "AWS::DynamoDB::GlobalTable"
    }
    outputs = template.content["Outputs"]
    names = {table: "".join(part.title() for part in table.value.split("_")) + "Table" for table in Table}
    return {table: by_id[outputs[name]["Value"]["Ref"]] for table, name in names.items()}


def test_the_tables_are_those_of_the_routing_layer(data: Template) -> None:
    assert len(data.resources("AWS::DynamoDB::GlobalTable")) == len(Table) == len(tables(data))
    for table, properties in tables(data).items():
        keys = [(table.key, "S", "HASH")]
        if table in SORT_KEYS:
            keys.append((*SORT_KEYS[table], "RANGE"))
        assert properties["KeySchema"] == [{"AttributeName": name, "KeyType": role} for name, _, role in keys]
        assert properties["AttributeDefinitions"] == [
            {"AttributeName": name, "AttributeType": kind} for name, kind, _ in keys
        ]
        assert properties["BillingMode"] == "PAY_PER_REQUEST"


def test_what_expires_does_so_by_the_attribute_that_the_layer_writes(data: Template) -> None:
    expiring = {table for table, properties in tables(data).items() if properties.get("TimeToLiveSpecification", {})}
    assert expiring == EXPIRING
    for table in expiring:
        assert tables(data)[table]["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}


@pytest.mark.parametrize(("environment", "protected"), [("local", False), ("staging", True), ("production", True)])
def test_data_is_protected_outside_the_local_environment(
    synthesise: Callable[[str], Templates], environment: str, protected: bool
) -> None:
    template = synthesise(environment)["data"]
    for resource in template.resources("AWS::DynamoDB::GlobalTable"):
        (replica,) = resource["Properties"]["Replicas"]
        assert replica["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert replica["DeletionProtectionEnabled"] is protected
        assert resource["DeletionPolicy"] == ("Retain" if protected else "Delete")
    for bucket in template.resources("AWS::S3::Bucket"):
        assert bucket["DeletionPolicy"] == ("Retain" if protected else "Delete")


@pytest.mark.parametrize(("environment", "protected"), [("local", False), ("production", True)])
def test_the_stack_itself_is_protected_where_data_is(
    synthesise: Callable[[str], Templates], environment: str, protected: bool
) -> None:
    path = synthesise(environment)["data"].path
    stacks = json.loads((path.parent / "manifest.json").read_text())["artifacts"]
    stack = stacks[f"somleng-switch-{environment}-data"]
    assert stack["properties"].get("terminationProtection", False) is protected
    assert not stacks[f"somleng-switch-{environment}-services"]["properties"].get("terminationProtection", False)


def test_credentials_are_encrypted_with_a_key_that_takes_a_right_of_its_own(data: Template) -> None:
    encrypted = {table for table, properties in tables(data).items() if properties["SSESpecification"]["SSEEnabled"]}
    assert encrypted == {Table.SUBSCRIBERS}


def recordings(template: Template) -> dict[str, Any]:
    reference = template.content["Outputs"]["RecordingsBucket"]["Value"]["Ref"]
    return dict(template.content["Resources"][reference]["Properties"])


def test_recordings_go_after_seven_days_and_broken_uploads_after_one(data: Template) -> None:
    rules = {rule["Id"]: rule for rule in recordings(data)["LifecycleConfiguration"]["Rules"]}
    assert rules["expire-recordings"]["ExpirationInDays"] == 7
    assert rules["abort-incomplete-uploads"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert {rule["Status"] for rule in rules.values()} == {"Enabled"}


def test_every_bucket_is_private_encrypted_and_reached_over_tls_alone(data: Template) -> None:
    buckets = data.properties("AWS::S3::Bucket")
    assert len(buckets) == 2
    for bucket in buckets:
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    for policy in data.properties("AWS::S3::BucketPolicy"):
        statements = policy["PolicyDocument"]["Statement"]
        assert any(
            each["Effect"] == "Deny" and each["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
            for each in statements
        )
    assert len(data.properties("AWS::S3::BucketPolicy")) == 2


def test_recordings_are_encrypted_with_a_key_and_each_access_is_logged(data: Template) -> None:
    bucket = recordings(data)
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert rule["BucketKeyEnabled"] is True
    logs = data.content["Resources"][bucket["LoggingConfiguration"]["DestinationBucketName"]["Ref"]]
    assert logs["Properties"]["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"] == 90


def test_processes_can_look_up_what_they_need(data: Template) -> None:
    values = {parameter["Name"]: parameter["Value"] for parameter in data.properties("AWS::SSM::Parameter")}
    prefix = "/somleng-switch/staging"
    assert set(values) == {
        f"{prefix}/recordings_bucket",
        f"{prefix}/region_data",
        *(f"{prefix}/tables/{table.value}" for table in Table),
    }
    for table in Table:
        assert table.value.title().replace("_", "") in values[f"{prefix}/tables/{table.value}"]["Ref"]
    assert values[f"{prefix}/recordings_bucket"] == data.content["Outputs"]["RecordingsBucket"]["Value"]
    assert json.loads(values[f"{prefix}/region_data"]) == CONTEXT["settings"]["common"]["regions"]
