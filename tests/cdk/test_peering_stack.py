"""The networks of all regions are joined to that of the home region."""

from pathlib import Path

from aws_cdk import App

from cdk.application import build
from tests.cdk.conftest import CONTEXT, Template, Templates


def routes(template: Template) -> dict[str, int]:
    """Return how many route tables lead to a network by a connection."""
    counted: dict[str, int] = {}
    for route in template.properties("AWS::EC2::Route"):
        assert route["VpcPeeringConnectionId"]
        counted[route["DestinationCidrBlock"]] = counted.get(route["DestinationCidrBlock"], 0) + 1
    return counted


def test_every_subnet_of_both_regions_reaches_the_other(staging: Templates) -> None:
    assert routes(staging["peering-us-east-1"]) == {"10.12.0.0/16": 4}
    assert routes(staging["peering"]) == {"10.22.0.0/16": 4}
    for stack in ("peering", "peering-us-east-1"):
        tables = [str(each["RouteTableId"]) for each in staging[stack].properties("AWS::EC2::Route")]
        assert len(set(tables)) == 4


def test_the_connection_is_asked_for_from_the_other_region(staging: Templates) -> None:
    (connection,) = staging["peering-us-east-1"].properties("AWS::EC2::VPCPeeringConnection")
    assert connection["PeerRegion"] == "ap-southeast-1"
    assert "network-us-east-1" in str(connection["VpcId"])
    assert "networkapsoutheast1RefVpc" in str(connection["PeerVpcId"])


def test_one_region_needs_none(tmp_path: Path) -> None:
    common = CONTEXT["settings"]["common"]
    one = {"regions": common["regions"][:1], "networks": common["networks"][:1]}
    app = App(context={**CONTEXT, "environment": "production", **one}, outdir=str(tmp_path))
    build(app)
    app.synth()
    names = {path.name.removeprefix("somleng-switch-production-") for path in tmp_path.glob("*.template.json")}
    assert not [name for name in names if "peering" in name or "us-east-1" in name]
    assert "switch.template.json" in names
