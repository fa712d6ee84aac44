"""Tells a function of every recording that comes."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_notifications as notifications
from constructs import Construct

from cdk.nag import acknowledge

RECORDING_SUFFIX = ".wav"
CONVERTED_SUFFIX = ".mp3"


class RecordingEvents(Construct):
    """Invokes a function on each new WAV object, and lets it read that and write the MP3 beside it."""

    def __init__(self, scope: Construct, construct_id: str, *, bucket_arn: str, function: lambda_.Function) -> None:
        """Wire the function to the bucket; `bucket_arn` is an import of the other stack's export."""
        super().__init__(scope, construct_id)
        # Imported, so that the notification belongs to this stack: the bucket's own stack would have to know the
        # function, and the function's stack knows the bucket.
        bucket = s3.Bucket.from_bucket_attributes(self, "Bucket", bucket_arn=bucket_arn)
        bucket.add_event_notification(
            s3.EventType.OBJECT_CREATED,
            notifications.LambdaDestination(function),
            s3.NotificationKeyFilter(suffix=RECORDING_SUFFIX),
        )
        self._grant(bucket, function)
        self._acknowledge_notifications_handler()

    def _grant(self, bucket: s3.IBucket, function: lambda_.Function) -> None:
        recordings = bucket.arn_for_objects(f"*{RECORDING_SUFFIX}")
        converted = bucket.arn_for_objects(f"*{CONVERTED_SUFFIX}")
        for sid, actions, resources in (
            # Reading what was written tells a repeated event from a new one.
            ("Read", ["s3:GetObject"], [recordings, converted]),
            ("Write", ["s3:PutObject", "s3:AbortMultipartUpload"], [converted]),
            # Without it S3 answers "forbidden" for an object that is gone, and the two need different remedies.
            ("TellMissingFromForbidden", ["s3:ListBucket"], [bucket.bucket_arn]),
        ):
            function.add_to_role_policy(iam.PolicyStatement(sid=sid, actions=actions, resources=resources))
        export = Stack.of(self).resolve(bucket.bucket_arn)["Fn::ImportValue"]
        for suffix in (RECORDING_SUFFIX, CONVERTED_SUFFIX):
            acknowledge(
                function.node.scope or function,
                f"AwsSolutions-IAM5[Resource::{export}/*{suffix}]",
                "The switch names recordings as it makes them; the ARN is bound to one bucket and one kind of file.",
            )

    def _acknowledge_notifications_handler(self) -> None:
        handler = Stack.of(self).node.find_child("BucketNotificationsHandler050a0587b7544547bf325f094a3db834")
        acknowledge(
            handler,
            "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]",
            "The CDK's own custom resource, which runs only while a stack is deployed, attaches it to write its log.",
        )
