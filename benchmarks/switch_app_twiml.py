"""How long the switch app takes to read a document: all of it parsed and found to be right, before the first verb runs.

Each figure is the median of many rounds, in microseconds, with the ratio to what lxml alone takes to parse the same
bytes.
"""

import statistics
import time
from collections.abc import Callable

from lxml import etree

from switch_app.verbs.catalogue import read_verbs

_ROUNDS = 200
_A_ROUND = 20

_MENU = b"""<?xml version="1.0" encoding="UTF-8"?>
<Response>
  <!-- A menu, as a customer's server would send it. -->
  <Gather action="/menu" numDigits="1" timeout="5" finishOnKey="#">
    <Say voice="woman" language="en-US">Welcome. For sales press one, for support press two.</Say>
    <Pause length="1"/>
    <Play loop="2">https://www.example.com/audio/menu.mp3</Play>
  </Gather>
  <Say>We did not receive any input. Goodbye!</Say>
  <Redirect method="POST">/menu?attempt=2</Redirect>
</Response>
"""
_SMALL = b"<Response><Say>Hello World</Say><Hangup/></Response>"
_DIAL = (
    b"<Response><Dial action='/after' timeout='20' callerId='85523238265' record='record-from-answer'>"
    + b"".join(b"<Number>8551671%04d</Number>" % number for number in range(10))
    + b"</Dial></Response>"
)
_LARGE = (
    b"<Response>" + b"".join(b"<Say>Sentence %05d of many.</Say>" % number for number in range(1000)) + b"</Response>"
)


def main() -> None:
    print(f"{'document':22}{'bytes':>8}{'read us':>12}{'lxml us':>12}{'ratio':>8}")
    for name, document in (("small", _SMALL), ("menu", _MENU), ("dial, 10 numbers", _DIAL), ("1,000 verbs", _LARGE)):
        read = _microseconds(lambda document=document: read_verbs(document))  # type: ignore[misc]
        bare = _microseconds(lambda document=document: etree.fromstring(document))  # type: ignore[misc]
        print(f"{name:22}{len(document):8}{read:12.1f}{bare:12.1f}{read / bare:8.1f}")


def _microseconds(work: Callable[[], object]) -> float:
    rounds = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        for _ in range(_A_ROUND):
            work()
        rounds.append((time.perf_counter() - began) / _A_ROUND * 1e6)
        if sum(rounds) * _A_ROUND > 5e6:  # a document that takes long needs fewer
            break
    return statistics.median(rounds)


if __name__ == "__main__":
    main()
