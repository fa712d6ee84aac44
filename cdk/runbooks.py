"""The pages that say what to do, by which alarms and dashboards name them."""

from enum import StrEnum


class Runbook(StrEnum):
    """A page, and the heading on it, if it is about more than that."""

    DEAD_LETTERS = "docs/runbooks/dead-letters.md"
    RECONCILE = "docs/deployment.md#reconcile-by-hand"
    RECORDINGS = "docs/deployment.md#recordings-that-failed"
    SERVICES = "docs/services.md#what-fails-how"
    THROTTLES = "docs/failure-drills.md#dynamodb-throttles"
    GATEWAYS = "docs/gateways.md#metrics"
    STALE_DATA = "docs/runbooks/stale-gateway.md"
    MEDIA_PROXIES = "docs/media-proxy.md#health"
    SWITCH_APP = "docs/switch-app.md#logs-and-metrics"
    DELIVERIES = "docs/switch-app-services.md#the-platform"
    EVENT_LOGGER = "docs/event-logger.md#metrics"
    TASKS = "docs/alarms.md#tasks-that-do-not-come"
    NETWORK = "docs/alarms.md#the-way-out-is-full"
    STUCK_CALLS = "docs/runbooks/stuck-calls.md"
    CAPACITY = "docs/capacity.md#what-bites-first"
