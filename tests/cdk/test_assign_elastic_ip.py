"""What an instance of the client gateways does first: it takes an Elastic IP, here from moto's EC2."""

import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from cdk.application import ROOT
from local import servers
from tests.fakes.instance_metadata import instance_metadata

SCRIPT = ROOT / "cdk" / "instances" / "assign_elastic_ip.sh"
AWS = Path(sys.executable).parent / "aws"
SERVICE = "client-gateway"

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="the program 'curl' is not on the PATH")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address=servers.HOST, port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def control(endpoint: str, path: str, body: bytes = b"") -> None:
    """Tell moto itself something."""
    # Of a form, as urllib calls a body by itself, moto would not see the text.
    headers = {"Content-Type": "text/plain"}
    request = urllib.request.Request(f"{endpoint}/moto-api/{path}", body, headers, method="POST")
    with urllib.request.urlopen(request, timeout=5):
        pass


@dataclass
class Ec2:
    """An account with instances and Elastic IPs."""

    endpoint: str
    client: Any

    def allocate(self, priority: int, service: str = SERVICE) -> str:
        """Return the address of a new Elastic IP with the tags that the stack gives it."""
        tags = [{"Key": "service", "Value": service}, {"Key": "priority", "Value": str(priority)}]
        specification = [{"ResourceType": "elastic-ip", "Tags": tags}]
        return str(self.client.allocate_address(Domain="vpc", TagSpecifications=specification)["PublicIp"])

    def start(self) -> str:
        """Return the id of a new instance."""
        answer = self.client.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)
        return str(answer["Instances"][0]["InstanceId"])

    def address_of(self, instance: str) -> str | None:
        """Return the Elastic IP that an instance has."""
        listed = self.client.describe_addresses(Filters=[{"Name": "instance-id", "Values": [instance]}])["Addresses"]
        return str(listed[0]["PublicIp"]) if listed else None


@pytest.fixture
def ec2(endpoint: str, aws_environment: None) -> Ec2:
    control(endpoint, "reset")
    return Ec2(endpoint, boto3.client("ec2", endpoint_url=endpoint, region_name=servers.REGION))


Ended = tuple[int, str]
"""The exit status, and what the script said."""


def assign(ec2: Ec2, instances: Sequence[str], path: Path | None = None, **environment: str) -> list[Ended]:
    """Run the script on instances, all at once."""
    with ExitStack() as metadata:
        running = [
            subprocess.Popen(
                ["bash", SCRIPT, SERVICE, servers.REGION],
                env={
                    **servers.base_environment(),
                    **servers.credentials(),
                    "PATH": os.pathsep.join(map(str, [*([path] if path else []), AWS.parent, os.environ["PATH"]])),
                    "AWS_ENDPOINT_URL": ec2.endpoint,
                    "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.enter_context(
                        instance_metadata(servers.HOST, lambda each=each: ec2.address_of(each), each)
                    ),
                    "WAIT_SECONDS": "20",
                    "NAME": each,
                    **environment,
                },
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for each in instances
        ]
        return [(process.wait(60), process.communicate()[0]) for process in running]


def test_shellcheck_finds_nothing() -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("the program 'shellcheck' is not on the PATH")
    done = subprocess.run(["shellcheck", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_free_one_of_the_lowest_number_is_taken_and_kept(ec2: Ec2) -> None:
    """Numbers, not words: 10 comes after 9. What belongs to another service, or to somebody, is left alone."""
    ec2.allocate(1, service="media-proxy")
    last, wanted, taken = ec2.allocate(10), ec2.allocate(9), ec2.allocate(2)
    instance, other = ec2.start(), ec2.start()
    ec2.client.associate_address(InstanceId=other, PublicIp=taken)
    for _ in range(2):
        ((status, said),) = assign(ec2, [instance])
        assert status == 0, said
        assert f"{instance} has {wanted}" in said
    assert ec2.address_of(instance) == wanted
    assert ec2.address_of(other) == taken
    free = [each["PublicIp"] for each in ec2.client.describe_addresses()["Addresses"] if "AssociationId" not in each]
    assert last in free


def test_two_instances_that_want_the_same_one_get_one_each(ec2: Ec2, tmp_path: Path) -> None:
    wanted = {ec2.allocate(1), ec2.allocate(2)}
    instances = [ec2.start(), ec2.start()]
    aws = tmp_path / "bin" / "aws"
    aws.parent.mkdir()
    # Each waits with its first choice until the other has made the same. Unlike moto, EC2 would give the second what
    # the first has, unless it is asked not to.
    aws.write_text(
        f"""#!/bin/bash
if [[ $2 == associate-address ]]; then
    [[ " $* " == *" --no-allow-reassociation "* ]] || exit 3
    touch {tmp_path}/$NAME
    until [[ -e {tmp_path}/{instances[0]} && -e {tmp_path}/{instances[1]} ]]; do sleep 0.05; done
fi
exec {AWS} "$@"
"""
    )
    aws.chmod(0o755)
    ended = assign(ec2, instances, aws.parent)
    assert [status for status, _ in ended] == [0, 0], ended
    assert {ec2.address_of(each) for each in instances} == wanted
    assert len([said for _, said in ended if "Resource.AlreadyAssociated" in said]) == 1, "they did meet"


def test_an_instance_without_an_elastic_ip_is_of_no_use(ec2: Ec2) -> None:
    taken = ec2.allocate(1)
    instance, other = ec2.start(), ec2.start()
    ec2.client.associate_address(InstanceId=other, PublicIp=taken)
    ((status, said),) = assign(ec2, [instance], WAIT_SECONDS="0")
    assert (status, "none of service client-gateway is free" in said, "gives up" in said) == (1, True, True)
    assert ec2.address_of(other) == taken, "it is not taken away from whoever has it"


def test_an_instance_that_may_not_take_one_says_so(ec2: Ec2) -> None:
    ec2.allocate(1)
    instance = ec2.start()
    iam = boto3.client("iam", endpoint_url=ec2.endpoint, region_name=servers.REGION)
    iam.create_user(UserName="instance")
    policy = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}]}'
    iam.put_user_policy(UserName="instance", PolicyName="look", PolicyDocument=policy)
    key = iam.create_access_key(UserName="instance")["AccessKey"]
    control(ec2.endpoint, "reset-auth", b"0")
    try:
        ((status, said),) = assign(
            ec2,
            [instance],
            WAIT_SECONDS="0",
            AWS_ACCESS_KEY_ID=key["AccessKeyId"],
            AWS_SECRET_ACCESS_KEY=key["SecretAccessKey"],
        )
    finally:
        control(ec2.endpoint, "reset-auth", b"inf")
    assert status == 1
    assert "is not authorized to perform: ec2:AssociateAddress" in said
    assert ec2.address_of(instance) is None
