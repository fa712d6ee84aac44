"""What a verb has at hand while it runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

from switch_app.call import Call
from switch_app.call_properties import CallProperties
from switch_app.errors import TwimlError
from switch_app.services import Document, Services, headers_of


@dataclass(frozen=True, slots=True)
class Goto:
    """What a verb returns to go on with another document.

    Attributes:
        url: absolute, or relative to the current document; empty for the current document.
        method: `GET` or `POST`.
        parameters: what the verb adds to the request.

    """

    url: str
    method: str = "POST"
    parameters: Sequence[tuple[str, str]] = ()


Outcome = Goto | None
"""What a verb returns: None goes on with the next verb."""


@dataclass(slots=True)
class Session:
    """A call that runs TwiML.

    Attributes:
        call: the call.
        properties: what the platform says of it.
        services: what else there is.
        base_url: where the current document came from; None as long as only inline TwiML ran.
        is_first_request: whether the customer's server has not been asked yet.

    """

    call: Call
    properties: CallProperties
    services: Services
    base_url: str | None = None
    is_first_request: bool = True

    async def answer(self) -> None:
        """Answer the call, unless it is answered."""
        await self.call.answer(headers_of(self.properties))

    def resolve(self, url: str) -> str:
        """Return a URL made absolute; an empty one is the current document's.

        Raises:
            TwimlError: for a relative URL while there is no document that it could be relative to.

        """
        if self.base_url is None and "://" not in url:
            raise TwimlError(f"the URL {url!r} is relative, and the document that has it was not fetched from anywhere")
        return urljoin(self.base_url or "", url.strip())

    async def fetch(self, goto: Goto) -> Document:
        """Ask the customer's server for the next document.

        Raises:
            FetchFailed: saying why there is none.
            TwimlError: for a URL that cannot be resolved.

        """
        status = "ringing" if self.is_first_request else "in-progress"
        self.is_first_request = False
        properties = self.properties
        standard = [
            ("Caller", properties.sender),
            ("Called", properties.to),
            ("From", properties.sender),
            ("To", properties.to),
            ("CallSid", properties.sid),
            ("Direction", properties.direction),
            ("AccountSid", properties.account_sid),
            ("ApiVersion", properties.api_version),
            ("CallStatus", status),
        ]
        parameters = [*standard, *goto.parameters]
        document = await self.services.documents.fetch(self.resolve(goto.url), goto.method, parameters)
        self.base_url = document.url
        return document
