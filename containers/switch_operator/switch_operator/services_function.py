"""The services function, invoked."""

import json
from typing import TYPE_CHECKING, Any, Literal

from switch_operator.errors import FunctionFailed

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

RECONCILE: dict[str, Any] = {"source": "aws.events", "detail-type": "Scheduled Event"}
"""What the function's own schedule sends."""


def invoke(functions: "LambdaClient", arn: str, event: dict[str, Any]) -> Any:
    """Invoke a function and return its answer.

    Raises:
        FunctionFailed: when it raised, with its error.

    """
    answer = functions.invoke(FunctionName=arn, Payload=json.dumps(event).encode())
    payload = json.loads(answer["Payload"].read() or b"null")
    if "FunctionError" in answer:
        raise FunctionFailed(_error(payload))
    return payload


def hand_over(functions: "LambdaClient", arn: str, event: dict[str, Any]) -> None:
    """Hand an event to a function and do not wait: Lambda retries it, and puts it into the failures queue."""
    kind: Literal["Event"] = "Event"
    functions.invoke(FunctionName=arn, InvocationType=kind, Payload=json.dumps(event).encode())


def _error(payload: Any) -> str:
    if isinstance(payload, dict) and "errorMessage" in payload:
        return f"{payload.get('errorType', 'error')}: {payload['errorMessage']}"
    return f"it answered {str(payload)[:200]}"
