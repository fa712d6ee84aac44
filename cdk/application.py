"""Puts the stacks of a deployment together."""

from dataclasses import dataclass
from pathlib import Path

from aws_cdk import App, Tags

from cdk import nag
from cdk.bundling import Bundler
from cdk.client_gateway_stack import ClientGatewayStack
from cdk.context import read_settings
from cdk.data_stack import DataStack
from cdk.events_stack import EventsStack
from cdk.images import SWITCH_IMAGES, ImageName
from cdk.images_stack import ImagesStack
from cdk.media_proxy_stack import MediaProxyStack
from cdk.network_stack import NetworkStack
from cdk.observability_stack import HomeStacks, ObservabilityStack
from cdk.peering_stack import PeeringRequestStack, PeeringStack
from cdk.public_gateway_stack import PublicGatewayStack
from cdk.secrets_stack import SecretsStack
from cdk.services_stack import ServicesStack
from cdk.settings import Settings
from cdk.switch_stack import SwitchStack
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
        secrets = SecretsStack(app, f"{prefix}-secrets", settings=settings)
        network = _home_region(app, prefix, settings, data, secrets, services)
        _other_regions(app, prefix, settings, secrets, services, network)

    Tags.of(app).add("project", "somleng-switch")
    Tags.of(app).add("environment", settings.environment.value)
    nag.check(app)
    return Application(settings, data, services)


def _home_region(
    app: App, prefix: str, settings: Settings, data: DataStack, secrets: SecretsStack, services: ServicesStack
) -> NetworkStack:
    """Add what carries calls in the home region, and return its network."""
    images = ImagesStack(app, f"{prefix}-images", settings=settings, region=settings.home, names=list(ImageName))
    network = NetworkStack(app, f"{prefix}-network", settings=settings, region=settings.home)
    # A reconcile asks every region for the tasks of every cluster.
    services.add_stack_dependency(network)
    switch = SwitchStack(app, f"{prefix}-switch", settings=settings, region=settings.home, network=network)
    media_proxy = MediaProxyStack(app, f"{prefix}-media-proxy", settings=settings, network=network)
    public_gateway = PublicGatewayStack(app, f"{prefix}-public-gateway", settings=settings, network=network, data=data)
    client_gateway = ClientGatewayStack(
        app, f"{prefix}-client-gateway", settings=settings, network=network, data=data, media_proxy=media_proxy
    )
    # They name what is there, and import nothing of it; so that nothing starts before it is there, they say so.
    for stack in (switch, media_proxy, public_gateway, client_gateway):
        for needed in (images, secrets, services):
            stack.add_stack_dependency(needed)
    ObservabilityStack(
        app,
        f"{prefix}-observability",
        settings=settings,
        region=settings.home,
        network=network,
        switch=switch,
        alarms=services.alarms,
        home=HomeStacks(data, services, public_gateway, client_gateway, media_proxy),
    )
    return network


def _other_regions(
    app: App,
    prefix: str,
    settings: Settings,
    secrets: SecretsStack,
    services: ServicesStack,
    home: NetworkStack,
) -> None:
    """Add, for each other region, its events, its switches, and the connection of its network to the home network."""
    connections: dict[str, str] = {}
    for region in settings.other_regions:
        here = region.identifier
        events = EventsStack(app, f"{prefix}-events-{here}", settings=settings, region=region)
        images = ImagesStack(app, f"{prefix}-images-{here}", settings=settings, region=region, names=SWITCH_IMAGES)
        network = NetworkStack(app, f"{prefix}-network-{here}", settings=settings, region=region)
        services.add_stack_dependency(network)
        connections[here] = PeeringRequestStack(
            app, f"{prefix}-peering-{here}", settings=settings, region=region, network=network, home=home
        ).connection
        switch = SwitchStack(app, f"{prefix}-switch-{here}", settings=settings, region=region, network=network)
        for needed in (images, secrets, services):
            switch.add_stack_dependency(needed)
        ObservabilityStack(
            app,
            f"{prefix}-observability-{here}",
            settings=settings,
            region=region,
            network=network,
            switch=switch,
            alarms=events.alarms,
        )
    if connections:
        PeeringStack(app, f"{prefix}-peering", settings=settings, network=home, connections=connections)
