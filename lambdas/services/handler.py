"""The services function's entry: AWS's shapes in, AWS's shapes out."""

import os
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit

from lambdas.services.application import Application
from lambdas.services.deployment import ServiceActionResource
from lambdas.services.ecs_tasks import TaskState
from lambdas.services.errors import UnknownServiceAction
from lambdas.services.events import QueueBatch, ScheduledReconcile, ServiceAction, parse_event
from lambdas.services.metrics import EVENTS_FAILED, ROWS_HEALED, TASK_EVENTS, metrics
from lambdas.services.queue_batch import handle_queue_batch
from lambdas.services.settings import Settings

_ROWS_TOLD = 1_000  # Lambda's answers end at 6 MB

logger = Logger()


def handler(event: dict[str, Any], context: Any) -> Any:
    """Answer an ECS task state change, a batch of the queue, a direct invocation, a deployment or the schedule.

    Returns:
        For a batch, which messages failed (`batchItemFailures`); for a service action, its answer; for the schedule,
        which rows were healed; else None.

    Raises:
        Exception: for anything but a batch, whatever went wrong, so that the invocation fails and is retried.

    """
    logger.append_keys(function_request_id=getattr(context, "aws_request_id", None))
    try:
        return _answer(event, context)
    except Exception:
        metrics.add_metric(EVENTS_FAILED, MetricUnit.Count, 1)
        logger.exception("event failed")
        raise
    finally:
        if metrics.metric_set:
            metrics.flush_metrics()


def _answer(event: dict[str, Any], context: Any) -> Any:
    application = _application(Settings.from_environment(os.environ))
    match parse_event(event):
        case TaskState() as task:
            outcome = application.apply_task_state.call(task)
            logger.info(
                "task state handled",
                outcome=outcome.value,
                task_arn=task.stamp.arn,
                task_version=task.stamp.version,
                group=task.group,
                phase=task.phase.value,
                region=task.region,
            )
            metrics.add_metric(TASK_EVENTS[outcome], MetricUnit.Count, 1)
            return None
        case QueueBatch() as batch:
            return handle_queue_batch(
                batch.records,
                application.handle_jobs,
                lambda: context.get_remaining_time_in_millis() / 1000,
                logger,
                metrics,
            )
        case ServiceAction() as action:
            return _service_action(application, action.name, action.parameters)
        case ServiceActionResource() as resource:
            _do_for_deployment(application, resource)
            return None
        case ScheduledReconcile():
            healed = application.reconcile.call()
            logger.info("reconciled", rows_healed=len(healed))
            metrics.add_metric(ROWS_HEALED, MetricUnit.Count, len(healed))
            rows = [{"table": row.table.value, "key": row.key, "region": row.region} for row in healed]
            return {"rows_healed": len(healed), "rows": rows[:_ROWS_TOLD]}


def _do_for_deployment(application: Application, resource: ServiceActionResource) -> None:
    """Do what a deployment asks for, and tell it how that went.

    A failure is the deployment's: it is told the reason and takes itself back. Lambda must not try again later.
    """
    failure: Exception | None = None
    if not resource.deleted:
        try:
            _service_action(application, resource.name, resource.parameters)
        except Exception as error:
            failure = error
            metrics.add_metric("EventsFailed", MetricUnit.Count, 1)
            logger.exception("service action of a deployment failed", action=resource.name)
    resource.answer(failure)


def _service_action(application: Application, name: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    match name:
        case "BuildClientGatewayDialString":
            return application.build_dial_string.call(
                parameters.get("client_identifier"), parameters.get("destination")
            )
        case "CreateDomain":
            return application.create_domain.call(parameters.get("domain"))
    raise UnknownServiceAction(f"service action {name!r} is not one of BuildClientGatewayDialString, CreateDomain")


@lru_cache(maxsize=1)
def _application(settings: Settings) -> Application:
    return Application(settings, time.time)


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    # In Lambda everything is built while the execution environment starts, before the first event waits for it.
    _application(Settings.from_environment(os.environ))
