"""Where the parts of a deployment are: named by environment variables, or by a deployment's published parameters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from routing import Table, TableNames
from switch_operator.errors import WrongUse

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


class Place(Enum):
    """Something of a deployment that is found by name: its environment variable and its parameter's path."""

    QUEUE = ("QUEUE_URL", "queue_url")
    DEAD_LETTERS = ("DEAD_LETTER_QUEUE_URL", "dead_letter_queue_url")
    SERVICES_FUNCTION = ("SERVICES_FUNCTION_ARN", "services_function_arn")
    SERVICES_FAILURES = ("SERVICES_FAILURES_QUEUE_URL", "services_failures_queue_url")
    S3_MPEG_FUNCTION = ("S3_MPEG_FUNCTION_ARN", "s3_mpeg_function_arn")
    S3_MPEG_FAILURES = ("S3_MPEG_FAILURES_QUEUE_URL", "s3_mpeg_failures_queue_url")

    @property
    def variable(self) -> str:
        """The environment variable."""
        return self.value[0]

    @property
    def parameter(self) -> str:
        """The parameter's path below the environment's."""
        return self.value[1]


_PREFIX: Final = "/somleng-switch/"


@dataclass(frozen=True, slots=True)
class Deployment:
    """The names of one deployment.

    Attributes:
        environment: its name, `staging`; None where environment variables name its parts.
        values: what each part is called, by environment variable.

    """

    environment: str | None
    values: Mapping[str, str]

    def name(self, place: Place) -> str:
        """Return the URL or ARN of a part.

        Raises:
            WrongUse: saying what to set.

        """
        return self._value(place.variable, place.parameter)

    @property
    def tables(self) -> TableNames:
        """DynamoDB's names of the routing tables; `WrongUse` says which is missing."""
        return TableNames(
            tuple((table, self._value(table.environment_variable, f"tables/{table.value}")) for table in Table)
        )

    def _value(self, variable: str, parameter: str) -> str:
        if value := self.values.get(variable):
            return value
        if self.environment is not None:
            raise WrongUse(
                f"the parameter {_PREFIX}{self.environment}/{parameter} is not there: deploy the stacks of "
                f"{self.environment} once more"
            )
        raise WrongUse(
            f"environment variable {variable} is not set: set it, or name a deployment with --environment "
            "(SOMLENG_SWITCH_ENVIRONMENT)"
        )


def from_environment(environment: Mapping[str, str]) -> Deployment:
    """Return a deployment whose parts environment variables name."""
    return Deployment(None, environment)


def from_parameters(ssm: "Callable[[], SSMClient]", name: str) -> Deployment:
    """Return the deployment of a name, as its stacks published it.

    Environment variables that name parts are left aside: they may be those of another deployment.

    Raises:
        WrongUse: when nothing is published under that name.

    """
    client = ssm()
    pages = client.get_paginator("get_parameters_by_path").paginate(Path=f"{_PREFIX}{name}/", Recursive=True)
    found = {parameter["Name"]: parameter["Value"] for page in pages for parameter in page["Parameters"]}
    if not found:
        raise WrongUse(
            f"no deployment {name!r} is published in {client.meta.region_name}: there is no parameter below "
            f"{_PREFIX}{name}/; check --environment and the region (--region), which must be the home region"
        )
    variables = {f"tables/{table.value}": table.environment_variable for table in Table}
    variables |= {place.parameter: place.variable for place in Place}
    prefix = f"{_PREFIX}{name}/"
    return Deployment(
        name,
        {variables[short]: value for path, value in found.items() if (short := path.removeprefix(prefix)) in variables},
    )
