"""Where the containers' images are kept."""

from collections.abc import Sequence

from aws_cdk import Duration, Environment, RemovalPolicy, Stack
from aws_cdk import aws_ecr as ecr
from constructs import Construct

from cdk.constructs.published import Published
from cdk.images import ImageName, repository_name
from cdk.settings import Region, Settings

KEPT = 90
"""Images of each repository that are kept; older ones go. A version is up to three: one a machine, and their index."""


class ImagesStack(Stack):
    """One repository an image, in a region: images are pushed here, and services run those of `imageTag`.

    A tag is given once: what ran as a version yesterday is what runs as it tomorrow, and going back is a deployment
    with the older tag. Images are scanned when they come.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, region: Region, names: Sequence[ImageName]
    ) -> None:
        """Make the repositories.

        Parameters:
            scope: the app.
            construct_id: the stack's name.
            settings: the deployment's settings.
            region: where the stack is.
            names: the images that services of the region run.

        """
        super().__init__(
            scope,
            construct_id,
            env=Environment(region=region.identifier),
            description=f"SomlengSWITCH ({settings.environment}): images of {region.alias}",
            termination_protection=settings.protect_data,
        )
        published = Published(self, "Published", settings=settings)
        for name in names:
            words = "".join(part.title() for part in name.split("-"))
            repository = ecr.Repository(
                self,
                words,
                repository_name=repository_name(settings, name),
                image_scan_on_push=True,
                image_tag_mutability=ecr.TagMutability.IMMUTABLE,
                lifecycle_rules=[
                    ecr.LifecycleRule(
                        rule_priority=1,
                        description="what lost its tag, or never had one",
                        tag_status=ecr.TagStatus.UNTAGGED,
                        max_image_age=Duration.days(1),
                    ),
                    ecr.LifecycleRule(rule_priority=2, description="old versions", max_image_count=KEPT),
                ],
                empty_on_delete=not settings.protect_data,
                removal_policy=RemovalPolicy.RETAIN if settings.protect_data else RemovalPolicy.DESTROY,
            )
            published.output(f"{words}Repository", repository.repository_uri, f"Where the image {name} is pushed")
