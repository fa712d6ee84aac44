"""What operators look at: dashboards, alarms, and questions to the logs."""

from dataclasses import dataclass

from aws_cdk import Duration, Environment, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk.client_gateway_stack import ClientGatewayStack
from cdk.constructs.alarms import Alarms
from cdk.data_stack import DataStack
from cdk.media_proxy_stack import MediaProxyStack
from cdk.network_stack import NetworkStack
from cdk.observability import control_plane, dashboard_words, gateways, switches
from cdk.observability.log_queries import add_log_queries
from cdk.observability.pictures import Row, alarm_row, picture, words
from cdk.observability.service_health import add_service_alarms, service_row
from cdk.observability.service_view import ServiceView
from cdk.public_gateway_stack import PublicGatewayStack
from cdk.services_stack import ServicesStack
from cdk.settings import Region, Settings
from cdk.switch_stack import SwitchStack


@dataclass(frozen=True, slots=True)
class HomeStacks:
    """What there is in the home region beside switches."""

    data: DataStack
    services: ServicesStack
    public_gateway: PublicGatewayStack
    client_gateway: ClientGatewayStack
    media_proxy: MediaProxyStack


class ObservabilityStack(Stack):
    """A region's dashboards, alarms and questions: of its switches, and in the home region of everything else.

    It refers to what it shows by exports, and nothing refers to it: it goes first when a deployment is removed. Alarms
    are told on the topic that the region has already.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        region: Region,
        network: NetworkStack,
        switch: SwitchStack,
        alarms: Alarms,
        home: HomeStacks | None = None,
    ) -> None:
        """Make them.

        Parameters:
            scope: the app.
            construct_id: the stack's name.
            settings: the deployment's settings.
            region: the region.
            network: its network.
            switch: its switches.
            alarms: whose topic alarms are told on.
            home: the rest of the home region; None elsewhere.

        """
        super().__init__(
            scope,
            construct_id,
            env=Environment(region=region.identifier),
            description=f"SomlengSWITCH ({settings.environment}): dashboards and alarms of {region.alias}",
        )
        self._settings, self._region = settings, region
        self._network, self._switch = network, switch
        self._alarms = Alarms(self, "Alarms", topic=alarms.topic)
        views = self._views(home)
        self._alarm_on_calls(views, home)
        self._calls(views, home)
        if home is not None:
            self._control_plane(home)
        add_log_queries(self, settings=settings, groups=self._log_groups(home))

    def _views(self, home: HomeStacks | None) -> list[ServiceView]:
        settings, ecs = self._settings, self._settings.ecs
        views = [switches.switch_view(settings, self._switch)]
        if home is not None:
            views.append(
                ServiceView(
                    "Public gateways",
                    "PublicGateway",
                    ecs.public_gateway_cluster,
                    ecs.public_gateway_service,
                    settings.public_gateway_tasks,
                    home.public_gateway.capacity,
                )
            )
            views.append(
                ServiceView(
                    "Client gateways",
                    "ClientGateway",
                    ecs.client_gateway_cluster,
                    ecs.client_gateway_service,
                    settings.client_gateway_tasks,
                    home.client_gateway.capacity,
                )
            )
            views.append(
                ServiceView(
                    "Media proxies",
                    "MediaProxy",
                    ecs.media_proxy_cluster,
                    ecs.media_proxy_service,
                    settings.media_proxy_tasks,
                    home.media_proxy.capacity,
                )
            )
        return views

    def _alarm_on_calls(self, views: list[ServiceView], home: HomeStacks | None) -> None:
        settings, alarms, at = self._settings, self._alarms, self._settings.alarm_at
        nat_gateway = self._network.nat_gateway_id
        switches.add_switch_alarms(alarms, settings, views[0], at)
        switches.add_ground_alarms(alarms, views[0], self._switch, nat_gateway=nat_gateway)
        for view in views:
            add_service_alarms(alarms, view, cpu_percent=at.cpu_percent)
        if home is not None:
            gateways.add_gateway_alarms(alarms, views[1], at)
            gateways.add_gateway_alarms(alarms, views[2], at)
            gateways.add_client_alarms(alarms, views[2], at)
            gateways.add_carrier_alarms(alarms, views[1], home.public_gateway.balancer)

    def _calls(self, views: list[ServiceView], home: HomeStacks | None) -> None:
        """Make the dashboard of calls and media."""
        settings, at = self._settings, self._settings.alarm_at
        public, client = settings.ecs.public_gateway_service, settings.ecs.client_gateway_service
        rows: list[Row] = [alarm_row(self._alarms.raised, "Alarms of calls and media"), self._sessions_row(views[0])]
        if home is not None:
            rows += [gateways.refused_row(public, client, at)]
        rows += switches.call_rows(settings, views[0])
        if home is not None:
            rows += [gateways.current_row(public, client, at)]
            rows += [gateways.carriers_row(home.public_gateway.balancer, client)]
        rows += [switches.ground_row(self._switch, nat_gateway=self._network.nat_gateway_id)]
        rows += [service_row(view, cpu_percent=at.cpu_percent) for view in views]
        suffix = "" if home is not None else f"-{self._region.identifier}"
        self._dashboard("Calls", f"calls{suffix}", [words(dashboard_words.CALLS), *rows])

    def _sessions_row(self, view: ServiceView) -> Row:
        """Return how many calls there are; in the home region, in all regions."""
        settings = self._settings
        regions = settings.regions if self._region == settings.home else (self._region,)
        return [
            picture(
                "Are calls answered: channels of all switches, by region",
                [switches.sessions(view, label=each.alias, region=each.identifier) for each in regions],
                unit="channels",
                width=24,
            )
        ]

    def _control_plane(self, home: HomeStacks) -> None:
        """Make the dashboard of the control plane, and its alarms."""
        settings, ecs = self._settings, self._settings.ecs
        before = len(self._alarms.raised)
        control_plane.add_control_plane_alarms(self._alarms, settings, home.data)
        rows = [
            words(dashboard_words.CONTROL_PLANE),
            alarm_row(self._alarms.raised[before:], "Alarms of the control plane"),
            *control_plane.jobs_rows(settings, home.services),
            control_plane.tables_row(home.data),
            *gateways.copies_rows(ecs.public_gateway_service, ecs.client_gateway_service),
            *control_plane.recordings_rows(settings),
        ]
        self._dashboard("ControlPlane", "control-plane", rows)

    def _dashboard(self, construct_id: str, name: str, rows: list[Row]) -> None:
        cloudwatch.Dashboard(
            self,
            construct_id,
            dashboard_name=f"somleng-switch-{self._settings.environment}-{name}",
            default_interval=Duration.hours(3),
            widgets=[list(row) for row in rows],
        )

    def _log_groups(self, home: HomeStacks | None) -> dict[str, logs.ILogGroup]:
        groups: dict[str, logs.ILogGroup] = {**self._switch.service.logs}
        if home is not None:
            groups |= {f"public {name}": group for name, group in home.public_gateway.service.logs.items()}
            groups |= {f"client {name}": group for name, group in home.client_gateway.service.logs.items()}
            groups |= home.media_proxy.service.logs
            for function in (home.services.services, home.services.s3_mpeg):
                groups[function.node.id] = function.log
        return groups
