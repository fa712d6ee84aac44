"""Puts the stacks of a deployment together."""

from dataclasses import dataclass
from pathlib import Path

from aws_cdk import App, Tags

from cdk import nag
from cdk.bundling import Bundler
from cdk.context import read_settings
from cdk.data_stack import DataStack
from cdk.events_stack import EventsStack
from cdk.services_stack import ServicesStack
from cdk.settings import Settings
from cdk.target import Target

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Application:
    """The stacks, and the settings that they were built from."""

    settings: Settings
    data: DataStack
    services: ServicesStack
    events: tuple[EventsStack, ...]


def build(app: App) -> Application:
    """Add to the app every stack of the environment that its context names.

    Raises:
        SettingsError: a setting is missing or wrong.
        BundlingError: a function or a layer could not be bundled.

    """
    settings = read_settings(app.node.get_all_context())
    bundler = Bundler(root=ROOT, target=Target.of(settings.architecture), build=ROOT / "build")
    prefix = f"somleng-switch-{settings.environment}"

    data = DataStack(app, f"{prefix}-data", settings=settings)
    services = ServicesStack(app, f"{prefix}-services", settings=settings, data=data, bundler=bundler)
    # The emulator is one region, and no ECS of another sends it events.
    others = [] if settings.is_local else [each for each in settings.regions if each.identifier != settings.home_region]
    events = tuple(
        EventsStack(app, f"{prefix}-events-{region.identifier}", settings=settings, region=region) for region in others
    )

    Tags.of(app).add("project", "somleng-switch")
    Tags.of(app).add("environment", settings.environment.value)
    nag.check(app)
    return Application(settings, data, services, events)
