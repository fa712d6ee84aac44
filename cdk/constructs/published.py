"""What a stack tells others: as an output for whoever deploys, as an SSM parameter for what runs."""

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from cdk.settings import Settings


class Published(Construct):
    """Publishes names under `/somleng-switch/<environment>/`, where sidecars and operators' tools look them up."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        self._prefix = f"/somleng-switch/{settings.environment}"

    def parameter(self, name: str, value: str) -> None:
        """Publish a value as an SSM parameter, `name` being its path below the environment's."""
        construct_id = "".join(part.title().replace("_", "") for part in name.split("/"))
        ssm.StringParameter(self, construct_id, parameter_name=f"{self._prefix}/{name}", string_value=value)

    def output(self, name: str, value: str, description: str) -> None:
        """Publish a value as an output of the stack."""
        CfnOutput(Stack.of(self), name, value=value, description=description)
