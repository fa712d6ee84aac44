"""The bucket that access logs are delivered to."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk.settings import Settings

ABORT_INCOMPLETE_UPLOADS = s3.LifecycleRule(
    id="abort-incomplete-uploads", abort_incomplete_multipart_upload_after=Duration.days(1)
)


def access_logs(scope: Construct, construct_id: str, *, settings: Settings) -> s3.Bucket:
    """Make a private bucket for access logs of buckets or load balancers, which go after `accessLogRetentionDays`."""
    return s3.Bucket(
        scope,
        construct_id,
        # Neither S3 nor load balancers can deliver to a bucket that encrypts with the AWS-managed KMS key.
        encryption=s3.BucketEncryption.S3_MANAGED,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        enforce_ssl=True,
        lifecycle_rules=[
            s3.LifecycleRule(id="expire-access-logs", expiration=Duration.days(settings.access_log_retention_days)),
            ABORT_INCOMPLETE_UPLOADS,
        ],
        removal_policy=RemovalPolicy.RETAIN if settings.protect_data else RemovalPolicy.DESTROY,
    )
