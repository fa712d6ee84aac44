"""Carries what happens to tasks in another region to the home region, where the services function is."""

from aws_cdk import Environment, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from cdk.constructs.alarms import Alarms
from cdk.constructs.dead_letters import DeadLetters
from cdk.constructs.task_state_changes import task_state_changes
from cdk.runbooks import Runbook
from cdk.settings import Region, Settings


class EventsStack(Stack):
    """The control plane's part in a region that is not its home: one rule, to the home region's event bus.

    An event keeps its own region on the way, and matches the home region's rule there. One that cannot be delivered
    within a day waits in a queue of this region, with an alarm; the reconcile does not need it.

    Attributes:
        alarms: the region's topic of alarms.

    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, region: Region) -> None:
        super().__init__(
            scope,
            construct_id,
            env=Environment(region=region.identifier),
            description=f"SomlengSWITCH ({settings.environment}): task events of {region.alias}",
        )
        self.alarms = Alarms(self, "Alarms", email=settings.alarm_email)
        undelivered = DeadLetters(
            self, "Undelivered", alarms=self.alarms, what=f"Task events of {region.alias}", runbook=Runbook.RECONCILE
        )
        home = events.EventBus.from_event_bus_arn(
            self,
            "Home",
            self.format_arn(
                service="events", region=settings.home_region, resource="event-bus", resource_name="default"
            ),
        )
        events.Rule(
            self,
            "TaskStateChanges",
            description=f"Tasks that start and stop in {region.alias}, for {settings.home_region}",
            event_pattern=task_state_changes(settings),
            targets=[targets.EventBus(home, dead_letter_queue=undelivered.queue)],
        )
