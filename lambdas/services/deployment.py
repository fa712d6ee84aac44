"""A deployment asks for a service action, as a custom resource of its template; CloudFormation waits for the answer.

The request says where the answer goes: a URL of S3 that is signed for it.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

import urllib3

from lambdas.services.errors import DeploymentUnanswered, InvalidEvent
from lambdas.services.settings import is_loopback

_TRIES = 3
_SECONDS = 5.0
_REASON_MAXIMUM = 1_000
"""Characters of a reason; CloudFormation takes no answer above 4 KB."""


@dataclass(frozen=True, slots=True)
class ServiceActionResource:
    """A resource that stands for a service action having been done.

    Attributes:
        deleted: whether the resource goes; nothing is undone then, for there is no action that would.
        name: the action.
        parameters: what it takes.

    """

    deleted: bool
    name: str
    parameters: Mapping[str, Any]
    _response_url: str
    _request: Mapping[str, str]

    @classmethod
    def parse(cls, event: Mapping[str, Any]) -> Self:
        """Read CloudFormation's request.

        Raises:
            InvalidEvent: naming what is missing or wrong; such a request cannot be answered.

        """

        def text(name: str) -> str:
            value = event.get(name)
            if not isinstance(value, str) or not value:
                raise InvalidEvent(f"custom resource: {name} is {value!r}, not a non-empty string")
            return value

        url, kind = text("ResponseURL"), text("RequestType")
        parts = urlsplit(url)
        hostname = parts.hostname or ""
        of_aws = parts.scheme == "https" and hostname.endswith((".amazonaws.com", ".amazonaws.com.cn"))
        if not of_aws and not is_loopback(hostname):
            raise InvalidEvent(f"custom resource: ResponseURL leads to {hostname!r}, which is not AWS")
        if kind not in ("Create", "Update", "Delete"):
            raise InvalidEvent(f"custom resource: RequestType is {kind!r}")
        properties = event.get("ResourceProperties")
        properties = properties if isinstance(properties, Mapping) else {}
        parameters = properties.get("parameters")
        return cls(
            deleted=kind == "Delete",
            name=str(properties.get("serviceAction")),
            parameters=parameters if isinstance(parameters, Mapping) else {},
            _response_url=url,
            _request={name: text(name) for name in ("StackId", "RequestId", "LogicalResourceId")},
        )

    def answer(self, error: Exception | None) -> None:
        """Tell CloudFormation that it is done, or what failed.

        Raises:
            DeploymentUnanswered: when the answer cannot be left.

        """
        body = {
            "Status": "SUCCESS" if error is None else "FAILED",
            "Reason": "" if error is None else f"{type(error).__name__}: {error}"[:_REASON_MAXIMUM],
            # With another action or other parameters it is another resource.
            "PhysicalResourceId": f"{self.name} {json.dumps(self.parameters, sort_keys=True)}",
            **self._request,
        }
        try:
            response = urllib3.PoolManager().request(
                "PUT",
                self._response_url,
                body=json.dumps(body).encode(),
                headers={"Content-Type": ""},  # the signature is for none
                timeout=_SECONDS,
                retries=urllib3.Retry(_TRIES - 1, redirect=False, backoff_factor=0.5),
            )
        except urllib3.exceptions.HTTPError as problem:
            raise DeploymentUnanswered(f"CloudFormation could not be answered: {type(problem).__name__}") from problem
        if response.status != 200:
            raise DeploymentUnanswered(f"CloudFormation's answer was refused with {response.status}")
