"""What stands at the top of each dashboard: what is normal, and where it stands what to do."""

from typing import Final

from cdk.runbooks import Runbook

CALLS: Final = f"""**Normal**: no alarm is on. No call is refused and nothing is lost: those lines are at 0. Data of \
gateways is younger than 10 seconds, their lag is 0 but for moments, no event socket is silent. As many tasks run as \
instances are wanted. CPU stays below half of the alarm's line: more tasks come at the settings' target.

**Runbooks**: refused calls and gateways `{Runbook.GATEWAYS}`; old data `{Runbook.STALE_DATA}`; what is lost \
`{Runbook.DELIVERIES}`, `{Runbook.EVENT_LOGGER}`; tasks `{Runbook.TASKS}`; NAT `{Runbook.NETWORK}`; too few machines \
`{Runbook.CAPACITY}`. All alarms: `docs/alarms.md`. Logs: the saved queries of Logs Insights."""

CONTROL_PLANE: Final = f"""**Normal**: the oldest job is younger than a minute, no dead letter, no row healed once \
tables are filled, no throttle. Copies of a kind of gateway have the same rows and journal positions. An MP3 is \
made at many times the speed of its sound.

**Runbooks**: jobs `{Runbook.SERVICES}`; dead letters `{Runbook.DEAD_LETTERS}`; healed rows `{Runbook.RECONCILE}`; \
recordings `{Runbook.RECORDINGS}`; throttles `{Runbook.THROTTLES}`. All alarms: `docs/alarms.md`."""
