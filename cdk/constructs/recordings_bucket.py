"""The bucket that switches put raw recordings in."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk.settings import Settings


class RecordingsBucket(Construct):
    """A private, encrypted bucket whose objects go after some days, and the bucket with its access logs.

    The platform copies a recording into its own storage as soon as it is told of it; what is here is on its way.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        removal_policy = RemovalPolicy.RETAIN if settings.protect_data else RemovalPolicy.DESTROY
        abort_incomplete_uploads = s3.LifecycleRule(
            id="abort-incomplete-uploads", abort_incomplete_multipart_upload_after=Duration.days(1)
        )
        access_logs = s3.Bucket(
            self,
            "AccessLogs",
            # S3 cannot deliver access logs to a bucket that encrypts with the AWS-managed KMS key.
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            lifecycle_rules=[
                s3.LifecycleRule(id="expire-access-logs", expiration=Duration.days(settings.access_log_retention_days)),
                abort_incomplete_uploads,
            ],
            removal_policy=removal_policy,
        )
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            bucket_name=settings.recordings_bucket_name,
            encryption=s3.BucketEncryption.KMS_MANAGED,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            server_access_logs_bucket=access_logs,
            server_access_logs_prefix="recordings/",
            lifecycle_rules=[
                s3.LifecycleRule(id="expire-recordings", expiration=Duration.days(settings.recording_retention_days)),
                abort_incomplete_uploads,
            ],
            removal_policy=removal_policy,
        )
