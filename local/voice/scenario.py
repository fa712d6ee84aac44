"""What the demo shows with calls."""

from collections.abc import Iterator
from contextlib import contextmanager

from local.steps import Step, Waiting
from local.system import LocalSystem
from local.voice.loop import LoopThread
from local.voice.steps.carrier import CarrierSteps
from local.voice.steps.client import ClientSteps
from local.voice.steps.end import EndSteps
from local.voice.steps.softphone import SoftphoneSteps
from local.voice.steps.stage import Stage
from local.voice.steps.start import StartSteps
from local.voice.steps.switches import SwitchSteps
from local.voice.system import VoiceSystem


@contextmanager
def voice_steps(system: LocalSystem, voice: VoiceSystem, waiting: Waiting) -> Iterator[list[Step]]:
    """Give the steps in their order; each needs those before it, and all a system that is deployed."""
    with LoopThread() as loop:
        stage = Stage(system, voice, loop, waiting)
        carrier, load = voice.hosts.address(), voice.hosts.address()
        client = ClientSteps(stage)
        switches = SwitchSteps(stage, load, carrier)
        parts = (
            StartSteps(stage),
            CarrierSteps(stage, carrier),
            client,
            switches,
            EndSteps(stage, carrier),
        )
        try:
            yield [step for part in parts for step in part.steps()]
        finally:
            waiting.give_up()
            for part in (client, switches):
                loop.run(part.leave(), 5)


@contextmanager
def softphone_steps(system: LocalSystem, voice: VoiceSystem, waiting: Waiting) -> Iterator[list[Step]]:
    """Give the steps after which a softphone can register and call; they need a system that is deployed."""
    with LoopThread() as loop:
        stage = Stage(system, voice, loop, waiting)
        try:
            yield [*StartSteps(stage).steps(), *SoftphoneSteps(stage).steps()]
        finally:
            waiting.give_up()
