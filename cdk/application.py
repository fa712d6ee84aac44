"""Puts the stacks of a deployment together."""

from dataclasses import dataclass
from pathlib import Path

from aws_cdk import App, Tags

from cdk import nag
from cdk.bundling import Bundler
from cdk.context import read_settings
from cdk.data_stack import DataStack
from cdk.events_stack import EventsStack
from cdk.images import SWITCH_IMAGES, ImageName
from cdk.images_stack import ImagesStack
from cdk.media_proxy_stack import MediaProxyStack
from cdk.network_stack import NetworkStack
from cdk.secrets_stack import SecretsStack
from cdk.services_stack import ServicesStack
from cdk.settings import Settings
from cdk.target import Target

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Application:
    """The control plane's stacks, and the settings that they were built from."""

    settings: Settings
    data: DataStack
    services: ServicesStack


def build(app: App) -> Application:
    """Add to the app every stack of the environment that its context names.

    The emulator runs the control plane alone: it knows neither networks nor ECS services.

    Raises:
        SettingsError: a setting is missing or wrong.
        BundlingError: a function or a layer could not be bundled.

    """
    settings = read_settings(app.node.get_all_context())
    bundler = Bundler(root=ROOT, target=Target.of(settings.architecture), build=ROOT / "build")
    prefix = f"somleng-switch-{settings.environment}"

    data = DataStack(app, f"{prefix}-data", settings=settings)
    services = ServicesStack(app, f"{prefix}-services", settings=settings, data=data, bundler=bundler)
    if not settings.is_local:
        _home_region(app, prefix, settings)
        _other_regions(app, prefix, settings)

    Tags.of(app).add("project", "somleng-switch")
    Tags.of(app).add("environment", settings.environment.value)
    nag.check(app)
    return Application(settings, data, services)


def _home_region(app: App, prefix: str, settings: Settings) -> None:
    """Add what carries calls in the home region."""
    ImagesStack(app, f"{prefix}-images", settings=settings, region=settings.home, names=list(ImageName))
    SecretsStack(app, f"{prefix}-secrets", settings=settings)
    network = NetworkStack(app, f"{prefix}-network", settings=settings, region=settings.home)
    MediaProxyStack(app, f"{prefix}-media-proxy", settings=settings, network=network)


def _other_regions(app: App, prefix: str, settings: Settings) -> None:
    """Add, for each other region, its events and its switches."""
    for region in settings.other_regions:
        here = region.identifier
        EventsStack(app, f"{prefix}-events-{here}", settings=settings, region=region)
        ImagesStack(app, f"{prefix}-images-{here}", settings=settings, region=region, names=SWITCH_IMAGES)
        NetworkStack(app, f"{prefix}-network-{here}", settings=settings, region=region)
