"""The fake call keeps the contract."""

from pathlib import Path

import pytest

from switch_app.call import FRAME_SECONDS, AudioFile, Call, Leg
from tests.containers.switch_app.call_contract import CallContract
from tests.fakes.call import Callee, FakeCall

CALLEES = {
    "answers": Callee(answers_after=1.0),
    "answers and leaves": Callee(answers_after=1.0, talks_for=2.0),
    "busy": Callee.busy(),
    "rings": Callee.silent(),
    "unreachable": Callee.unreachable(),
}


class _World:
    second, slack = 0.04, 0.02

    def __init__(self) -> None:
        self.calls: list[FakeCall] = []

    async def call(self) -> FakeCall:
        self.calls.append(FakeCall(pace=self.second, callees={f"{kind}@test": CALLEES[kind] for kind in CALLEES}))
        return self.calls[-1]

    async def press(self, call: Call, digits: str) -> None:
        assert isinstance(call, FakeCall)
        call.press(digits)

    async def talk(self, call: Call, seconds: float) -> None:
        assert isinstance(call, FakeCall)
        call.talk(seconds)

    async def hang_up(self, call: Call) -> None:
        assert isinstance(call, FakeCall)
        call.end()

    def audio(self, seconds: float) -> AudioFile:
        return AudioFile(Path(f"{seconds}.wav"))

    def leg(self, kind: str) -> Leg:
        return Leg(f"uuid of {kind}", f"{kind}@test", "test", "1000", f"sid of {kind}")

    async def legs_there_are(self) -> int:
        return sum(len(call.ringing) for call in self.calls)

    async def hears_sound(self, call: Call) -> bool:
        assert isinstance(call, FakeCall)
        return bool(call.spoken) and call.now - call.spoken[-1][0] < 2 * FRAME_SECONDS + self.slack / self.second


class TestFakeCall(CallContract):
    @pytest.fixture
    def world(self) -> _World:
        return _World()
