"""The bucket that switches put raw recordings in."""

from aws_cdk import Aws, Duration, RemovalPolicy
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk.constructs.access_logs import ABORT_INCOMPLETE_UPLOADS, access_logs
from cdk.settings import Settings


def recordings_bucket_name(settings: Settings) -> str:
    """Return the bucket's name, by which switches of every region find it; the account's number makes it ours alone.

    A stack of another region cannot import what the bucket's stack exports.
    """
    return settings.recordings_bucket_name or f"somleng-switch-{settings.environment}-recordings-{Aws.ACCOUNT_ID}"


class RecordingsBucket(Construct):
    """A private, encrypted bucket whose objects go after some days, and the bucket with its access logs.

    The platform copies a recording into its own storage as soon as it is told of it; what is here is on its way.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            bucket_name=recordings_bucket_name(settings),
            encryption=s3.BucketEncryption.KMS_MANAGED,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            server_access_logs_bucket=access_logs(self, "AccessLogs", settings=settings),
            server_access_logs_prefix="recordings/",
            lifecycle_rules=[
                s3.LifecycleRule(id="expire-recordings", expiration=Duration.days(settings.recording_retention_days)),
                ABORT_INCOMPLETE_UPLOADS,
            ],
            removal_policy=RemovalPolicy.RETAIN if settings.protect_data else RemovalPolicy.DESTROY,
        )
