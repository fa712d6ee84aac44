"""Security checks: every stack passes AWS Solutions' rules, and each finding that is accepted says why."""

from aws_cdk import Acknowledgment, App, Aws, Validations
from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct


def check(app: App) -> None:
    """Fail the synthesis on any finding that is not acknowledged."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app, verbose=True))


def acknowledge(construct: IConstruct, finding: str, reason: str) -> None:
    """Accept one finding on a construct and what is below it.

    Parameters:
        construct: the construct that it is about.
        finding: a rule's id, with the single finding in brackets where a rule has many.
        reason: why it is right as it is.

    """
    Validations.of(construct).acknowledge(Acknowledgment(id=finding, reason=reason))


def as_reported(arn: str) -> str:
    """Return an ARN as findings spell it: with the names of CloudFormation's pseudo parameters in angle brackets."""
    return arn.replace(Aws.PARTITION, "<AWS::Partition>").replace(Aws.ACCOUNT_ID, "<AWS::AccountId>")
