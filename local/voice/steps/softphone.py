"""A softphone's credentials come through the queue, and the number that it dials leads to a document."""

from local.errors import LocalError
from local.steps import Step
from local.voice.steps.stage import Stage
from routing import Table

FIRST_DOCUMENT = "voice"
_GREETING = """<Gather action="pressed.xml" numDigits="1" timeout="10">
    <Say>Welcome to Somleng Switch. Please press a key.</Say>
  </Gather>
  <Say>Good bye.</Say>"""
_PRESSED = "<Say>Thank you. Now write a document of your own.</Say>"


class SoftphoneSteps:
    """The steps."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def steps(self) -> list[Step]:
        """Return the steps in their order."""
        return [self._stage.step("A softphone may register and call", self._allow)]

    async def _allow(self) -> str:
        voice, softphone = self._stage.voice, self._stage.voice.softphone
        if softphone is None:
            raise LocalError("there is no softphone in this run")
        await self._stage.send_job("CreateOpenSIPSSubscriberJob", {"username": softphone.username, **softphone.digests})
        keys = lambda: self._stage.system.keys(Table.SUBSCRIBERS)  # noqa: E731
        await self._stage.until("the credentials", keys, lambda found: softphone.username in found)
        voice.customer.write("pressed", _PRESSED)
        url = voice.customer.write(FIRST_DOCUMENT, _GREETING)
        voice.platform.set_number(softphone.number, url)
        return f"{softphone.username} is a subscriber; {softphone.number} leads to {url}"
