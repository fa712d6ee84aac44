"""What outlives a deployment: routing tables, recordings, and the names that other processes look them up by."""

from aws_cdk import Environment, Stack
from constructs import Construct

from cdk.constructs.published import Published
from cdk.constructs.recordings_bucket import RecordingsBucket
from cdk.constructs.region_data import region_data
from cdk.constructs.routing_tables import SHAPES, RoutingTables
from cdk.settings import Settings


class DataStack(Stack):
    """The stateful half of the control plane.

    Other stacks of the home region refer to it by CloudFormation exports, so that nothing that they use can be removed.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(
            scope,
            construct_id,
            env=Environment(region=settings.home_region),
            description=f"SomlengSWITCH ({settings.environment}): routing tables and recordings",
            termination_protection=settings.protect_data,
        )
        self.tables = RoutingTables(self, "Tables", protect=settings.protect_data)
        self.recordings = RecordingsBucket(self, "Recordings", settings=settings).bucket
        self.recordings_arn = self.export_value(self.recordings.bucket_arn)

        published = Published(self, "Published", settings=settings)
        for shape in SHAPES:
            name = self.tables[shape].table_name
            published.parameter(f"tables/{shape.name}", name)
            published.output(f"{shape.construct_id}Table", name, f"Name of the table {shape.name}")
        published.parameter("recordings_bucket", self.recordings.bucket_name)
        published.output("RecordingsBucket", self.recordings.bucket_name, "Bucket of the raw recordings")
        published.parameter("region_data", region_data(settings))
