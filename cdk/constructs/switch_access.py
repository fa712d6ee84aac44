"""What the containers of a switch may ask of AWS."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from cdk.constructs.recording_events import RECORDING_SUFFIX
from cdk.constructs.recordings_bucket import recordings_bucket_name
from cdk.constructs.speech_cache import SpeechCache
from cdk.nag import acknowledge, as_reported
from cdk.services_stack import services_function_arn
from cdk.settings import Settings


def grant_switch_access(role: iam.IRole, *, settings: Settings, cache: SpeechCache) -> None:
    """Grant a switch its speech, its recordings, the platform's password, the services function and its own protection.

    What is in the home region is named and not imported: a switch elsewhere needs it, too.
    """
    stack = Stack.of(role)
    home = settings.home_region
    password = settings.call_platform.password_parameter.lstrip("/")
    recordings = f"arn:{stack.partition}:s3:::{recordings_bucket_name(settings)}/*{RECORDING_SUFFIX}"
    tasks = stack.format_arn(service="ecs", resource="task", resource_name=f"{settings.ecs.switch_cluster}/*")
    for statement in (
        iam.PolicyStatement(sid="Speak", actions=["polly:DescribeVoices", "polly:SynthesizeSpeech"], resources=["*"]),
        iam.PolicyStatement(
            sid="UploadRecordings", actions=["s3:PutObject", "s3:AbortMultipartUpload"], resources=[recordings]
        ),
        iam.PolicyStatement(
            sid="ReadPlatformPassword",
            actions=["ssm:GetParameter"],
            resources=[stack.format_arn(service="ssm", region=home, resource="parameter", resource_name=password)],
        ),
        iam.PolicyStatement(
            sid="FindClients",
            actions=["lambda:InvokeFunction"],
            resources=[services_function_arn(stack, settings)],
        ),
        iam.PolicyStatement(sid="ProtectTask", actions=["ecs:UpdateTaskProtection"], resources=[tasks]),
        cache.statement(),
    ):
        role.add_to_principal_policy(statement)
    acknowledge(
        role,
        "AwsSolutions-IAM5[Resource::*]",
        "Polly's actions have no resource but lexicons, which are not used.",
    )
    acknowledge(
        role,
        f"AwsSolutions-IAM5[Resource::{as_reported(recordings)}]",
        "The switch names recordings as it makes them; the ARN is bound to one bucket and one kind of file.",
    )
    acknowledge(
        role,
        f"AwsSolutions-IAM5[Resource::{as_reported(tasks)}]",
        "ECS makes the ids of tasks as they start; the ARN is bound to the switches' own cluster.",
    )
