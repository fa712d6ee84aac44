"""The containers' images by name, and the repositories that they are in."""

from enum import StrEnum

from aws_cdk import aws_ecr as ecr
from constructs import Construct

from cdk.settings import Settings


class ImageName(StrEnum):
    """An image that `containers/build.sh` builds."""

    PUBLIC_GATEWAY = "public-gateway"
    CLIENT_GATEWAY = "client-gateway"
    GATEWAY_SCHEDULER = "gateway-scheduler"
    MEDIA_PROXY = "media-proxy"
    SWITCH_APP = "switch-app"
    SWITCH_WEBSERVER = "switch-webserver"
    FREESWITCH = "freeswitch"
    FREESWITCH_EVENT_LOGGER = "freeswitch-event-logger"
    OPERATOR = "operator"


SWITCH_IMAGES = (
    ImageName.SWITCH_WEBSERVER,
    ImageName.SWITCH_APP,
    ImageName.FREESWITCH,
    ImageName.FREESWITCH_EVENT_LOGGER,
)
"""What a switch is made of: the images of a region that is not the home region."""


def repository_name(settings: Settings, name: ImageName) -> str:
    """Return the name of an image's repository, the same in every region."""
    return f"{settings.image.repository_prefix}/{name}"


def repository(scope: Construct, settings: Settings, name: ImageName) -> ecr.IRepository:
    """Return an image's repository in the scope's region, by its name.

    By name and not by export: a repository can be made anew while stacks use it.
    """
    construct_id = f"{''.join(part.title() for part in name.split('-'))}Repository"
    return ecr.Repository.from_repository_name(scope, construct_id, repository_name(settings, name))
