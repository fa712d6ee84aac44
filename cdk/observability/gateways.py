"""The gateways and the media proxies: whether calls find a way in, and whether gateways know where to."""

from aws_cdk import Duration

from cdk.alarm_settings import AlarmThresholds
from cdk.constructs.alarms import Alarms, Silence
from cdk.constructs.carrier_load_balancer import CarrierLoadBalancer
from cdk.observability.own_metrics import of_each_gateway, of_service
from cdk.observability.pictures import Row, picture
from cdk.observability.service_view import ServiceView
from cdk.runbooks import Runbook


def refused_row(public: str, client: str, at: AlarmThresholds) -> Row:
    """Return the pictures of calls that did not get in; the arguments are the gateways' services."""
    return [
        picture(
            "Calls refused: no switch or no media proxy took them",
            [
                of_service("CallsWithoutSwitch", public, "Sum", label="carriers', no switch", minutes=5),
                of_service("CallsWithoutSwitch", client, "Sum", label="clients', no switch", minutes=5),
                of_service("CallsWithoutMediaProxy", client, "Sum", label="clients', no media proxy", minutes=5),
            ],
            unit="calls in 5 minutes",
            minutes=5,
            alarm=at.calls_refused,
        ),
        picture(
            "Requests refused: peers that may not ask",
            [
                of_service("RequestsRefused", public, "Sum", label="carriers'", minutes=5),
                of_service("RequestsRefused", client, "Sum", label="clients'", minutes=5),
            ],
            unit="requests in 5 minutes",
            minutes=5,
            alarm=at.requests_refused,
        ),
        picture(
            "Media proxies that a client gateway uses; silent event sockets of switches",
            [of_service("MediaProxiesUsable", client, "Minimum", label="media proxies, minimum")],
            unit="proxies",
            right=[
                of_service("EventSocketsSilent", public, "Maximum", label="silent, public"),
                of_service("EventSocketsSilent", client, "Maximum", label="silent, client"),
            ],
            right_unit="switches",
        ),
    ]


def current_row(public: str, client: str, at: AlarmThresholds) -> Row:
    """Return the pictures of how current what gateways know is."""
    return [
        picture(
            "Are gateways current: age of their data",
            [of_each_gateway("DataAge", public, "Maximum"), of_each_gateway("DataAge", client, "Maximum")],
            unit="seconds",
            alarm=at.data_age_seconds,
        ),
        picture(
            "Changes of the journal that a gateway has not applied",
            [of_each_gateway("JournalLag", public, "Maximum"), of_each_gateway("JournalLag", client, "Maximum")],
            unit="changes",
        ),
        picture(
            "Stale, or OpenSIPS does not answer: 1 while it is so",
            [
                of_service("DataStale", public, "Maximum", label="stale, public"),
                of_service("DataStale", client, "Maximum", label="stale, client"),
                of_service("OpensipsUnreachable", public, "Maximum", label="unreachable, public"),
                of_service("OpensipsUnreachable", client, "Maximum", label="unreachable, client"),
            ],
            unit="0 or 1",
        ),
    ]


def carriers_row(balancer: CarrierLoadBalancer, client: str) -> Row:
    """Return the pictures of what stands between peers and gateways, and of contacts on their way."""
    minute = Duration.minutes(1)
    return [
        picture(
            "Public gateways that carriers' calls go to",
            [
                group.metrics.healthy_host_count(statistic="Minimum", period=minute, label=f"healthy, {group.node.id}")
                for group in balancer.target_groups
            ],
            unit="targets",
            right=[
                group.metrics.un_healthy_host_count(
                    statistic="Maximum", period=minute, label=f"unhealthy, {group.node.id}"
                )
                for group in balancer.target_groups
            ],
            right_unit="targets",
        ),
        picture(
            "What carriers send",
            [balancer.load_balancer.metrics.processed_bytes(statistic="Sum", period=minute, label="bytes")],
            unit="bytes a minute",
        ),
        picture(
            "Contacts of clients that are not in the table yet",
            [of_each_gateway("ContactsWaiting", client, "Maximum")],
            unit="changes",
        ),
    ]


def copies_rows(public: str, client: str) -> list[Row]:
    """Return the pictures of gateways' copies of the tables, table by table."""
    services = (public, client)
    return [
        [
            picture(
                "Rows of each table that a gateway has",
                [of_each_gateway("Rows", each, "Maximum", by="table") for each in services],
                unit="rows",
            ),
            picture(
                "How far each table's journal is applied: gateways of a kind go together",
                [of_each_gateway("JournalPosition", each, "Minimum", by="table") for each in services],
                unit="position",
            ),
            picture(
                "How long OpenSIPS takes to reload",
                [of_each_gateway("ReloadTime", each, "Maximum", by="command") for each in services],
                unit="seconds",
            ),
        ],
        [
            picture(
                "Rows that gateways cannot use, now",
                [
                    of_service("RowsSkipped", public, "Maximum", label="skipped, public"),
                    of_service("RowsSkipped", client, "Maximum", label="skipped, client"),
                    of_service("RowsDropped", public, "Maximum", label="dropped by OpenSIPS, public"),
                    of_service("RowsDropped", client, "Maximum", label="dropped by OpenSIPS, client"),
                ],
                unit="rows",
            ),
            picture(
                "Switches that ended and are still known for the calls that they may have",
                [
                    of_service("FormerTargets", public, "Maximum", label="public"),
                    of_service("FormerTargets", client, "Maximum", label="client"),
                ],
                unit="addresses",
            ),
        ],
    ]


def add_gateway_alarms(alarms: Alarms, view: ServiceView, at: AlarmThresholds) -> None:
    """Alarm when a kind of gateway refuses calls, or does not know any more what it routes by."""
    service, title = view.service, view.title
    told = Silence.NOBODY_IS_THERE if view.is_always_there else Silence.NOTHING_HAPPENED
    alarms.add(
        f"{view.name}CallsWithoutSwitch",
        of_service("CallsWithoutSwitch", service, "Sum", minutes=5),
        threshold=at.calls_refused,
        meaning=f"{title}: calls were refused because no switch took them",
        runbook=Runbook.GATEWAYS,
    )
    alarms.add(
        f"{view.name}RequestsRefused",
        of_service("RequestsRefused", service, "Sum", minutes=5),
        threshold=at.requests_refused,
        meaning=f"{title}: very many requests were refused; somebody tries, or a peer's address is not permitted",
        runbook=Runbook.GATEWAYS,
    )
    alarms.add(
        f"{view.name}DataOld",
        of_service("DataAge", service, "Maximum"),
        threshold=at.data_age_seconds,
        periods=3,
        of=5,
        silence=told,
        meaning=f"{title}: a gateway routes by old data, or its scheduler tells nothing",
        runbook=Runbook.STALE_DATA,
    )
    alarms.add(
        f"{view.name}OpensipsUnreachable",
        of_service("OpensipsUnreachable", service, "Maximum"),
        threshold=1,
        periods=3,
        of=5,
        meaning=f"{title}: an OpenSIPS does not answer its scheduler",
        runbook=Runbook.GATEWAYS,
    )
    alarms.add(
        f"{view.name}EventSocketsSilent",
        of_service("EventSocketsSilent", service, "Maximum"),
        threshold=1,
        periods=10,
        meaning=f"{title}: a switch tells a gateway nothing of its load for ten minutes; calls are spread blindly",
        runbook=Runbook.GATEWAYS,
    )
    for name, who in (("RowsSkipped", "the scheduler"), ("RowsDropped", "OpenSIPS")):
        alarms.add(
            f"{view.name}{name}",
            of_service(name, service, "Maximum", minutes=5),
            threshold=1,
            periods=3,
            meaning=f"{title}: {who} cannot use a row of the tables: a peer or a client that is there is not known",
            runbook=Runbook.GATEWAYS,
        )


def add_client_alarms(alarms: Alarms, view: ServiceView, at: AlarmThresholds) -> None:
    """Alarm when clients' calls find no media proxy, or contacts do not get into the table."""
    service = view.service
    alarms.add(
        "CallsWithoutMediaProxy",
        of_service("CallsWithoutMediaProxy", service, "Sum", minutes=5),
        threshold=at.calls_refused,
        meaning="Clients' calls were refused because no media proxy took them",
        runbook=Runbook.MEDIA_PROXIES,
    )
    alarms.add(
        "MediaProxiesUnusable",
        of_service("MediaProxiesUsable", service, "Minimum"),
        threshold=1,
        below=True,
        periods=3,
        silence=Silence.NOTHING_HAPPENED,
        meaning="A client gateway has no media proxy that answers",
        runbook=Runbook.MEDIA_PROXIES,
    )
    alarms.add(
        "ContactsWaiting",
        of_service("ContactsWaiting", service, "Maximum"),
        threshold=1000,
        periods=10,
        meaning="Contacts of clients wait to be written to the table: calls to those clients go to where they were",
        runbook=Runbook.GATEWAYS,
    )


def add_carrier_alarms(alarms: Alarms, view: ServiceView, balancer: CarrierLoadBalancer) -> None:
    """Alarm when carriers' calls reach nobody."""
    if not view.is_always_there:
        return
    alarms.add(
        "CarriersUnreached",
        balancer.target_groups[0].metrics.healthy_host_count(statistic="Minimum", period=Duration.minutes(1)),
        threshold=1,
        below=True,
        periods=3,
        silence=Silence.NOBODY_IS_THERE,
        meaning="The carriers' load balancer has no healthy gateway: no call comes in",
        runbook=Runbook.TASKS,
    )
