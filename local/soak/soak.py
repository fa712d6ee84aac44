"""Runs a soak: the load, the changes and the disturbances at once, then the checks."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from local.soak.callers import Callers
from local.soak.checks import Checks, Finding
from local.soak.disturbances import Disturbances
from local.soak.growth import Growth, Sample, growth, warm_up
from local.soak.jobs import Jobs
from local.soak.ledger import Account, Outage, Placed, accounts
from local.soak.options import SoakOptions
from local.soak.parties import Parties
from local.soak.process_samples import Life, ProcessSamples
from local.soak.schedule import Disturbance
from local.soak.truth import Truth
from local.voice.steps.stage import Stage
from local.voice.steps.start import FIRST_SWITCH

_THREADS = 32
_REGISTRATION_SECONDS = 30.0
_SAMPLES = 150
NOT_JUDGED = ("emulator", "ecs-emulator", "call-platform", "customer", "nat-router", "nat-client")
"""Stand-ins, which keep all that they were told."""


@dataclass
class Result:
    """What a soak came to.

    Attributes:
        accounts: what became of calls, by kind.
        calls: all of them.
        lines: what was found well.
        findings: what does not balance.
        growths: how each life of each process grew; None for one too short to tell.
        samples: of each life.

    """

    accounts: dict[str, Account] = field(default_factory=dict)
    calls: list[Placed] = field(default_factory=list)
    lines: list[tuple[str, str]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    growths: dict[Life, Growth | None] = field(default_factory=dict)
    samples: dict[Life, list[Sample]] = field(default_factory=dict)


async def soak(
    stage: Stage, options: SoakOptions, schedule: list[Disturbance], report: Callable[[str], None]
) -> Result:
    """Soak a system that runs.

    Args:
        stage: the system, with its first switch, its media proxy and its client gateway running.
        options: see SoakOptions.
        schedule: which disturbances come when.
        report: is told, for people, what happens.

    """
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS))
    system, voice = stage.system, stage.voice
    truth = _truth(stage)
    chosen = random.Random(options.seed)  # noqa: S311 - to be repeated, not to be secret
    jobs = Jobs(system, truth, random.Random(options.seed + 1))  # noqa: S311
    disturbances = Disturbances(stage, truth, jobs, report)
    samples = ProcessSamples(lambda: system.supervisor.servers, min(5.0, max(1.0, options.seconds / _SAMPLES)))
    newcomer = voice.hosts.address()
    async with Parties(voice) as parties:
        for phone in parties.carriers:
            await jobs.permit(phone.address)
        for name in parties.clients:
            await jobs.subscribe(name)
        for phone in parties.carriers:
            await stage.until("a carrier's permission", partial(voice.public_gateway.permits, phone.address))
        await parties.register(_REGISTRATION_SECONDS)
        callers = Callers(voice, truth, parties, chosen)
        report(f"{len(parties.carriers)} carriers and {len(parties.clients)} clients call from now on")
        began = time.monotonic()
        with samples:
            parts = (
                callers.run(options.seconds, options.rate),
                jobs.change(options.seconds),
                jobs.newcomers(options.seconds, callers, voice.public_gateway, newcomer),
                disturbances.run(schedule),
            )
            failed = [each for each in await asyncio.gather(*parts, return_exceptions=True) if each is not None]
            await callers.end()
        report(f"the last call is over after {time.monotonic() - began:.0f} s")
        checks = Checks(system, voice, truth, parties)
        result = await asyncio.to_thread(_look_back, callers, disturbances, checks)
    result.lines.insert(1, ("messages sent through SQS", str(jobs.sent)))
    for error in failed:
        result.findings.append(Finding(f"the soak itself: {type(error).__name__}: {error}", "this output"))
    _judge_growth(result, samples, options.seconds)
    return result


def _truth(stage: Stage) -> Truth:
    """Return what should be in the tables before anything else comes."""
    voice, truth = stage.voice, Truth()
    truth.switch_runs(FIRST_SWITCH, voice.switches[0].address)
    truth.media_proxies["media-proxy"] = voice.media_proxy
    truth.gateways["client-gateway"] = [voice.client_gateway.address]
    return truth


def _look_back(callers: Callers, disturbances: Disturbances, checks: Checks) -> Result:
    _identify(callers, checks.inbound_calls())
    _note_cut_off(callers, disturbances.outages, checks.completed())
    found = accounts(callers.calls, disturbances.outages)
    lost = [call for account in found.values() for call in account.lost]
    checks.tables()
    checks.registrations()
    touched = {call.sid for call in callers.calls if any(outage.excuses(call) for outage in disturbances.outages)}
    checks.calls(callers, touched)
    checks.recordings(callers.recorded - touched)
    checks.nothing_is_left()
    result = Result(found, callers.calls, checks.lines)
    for call in lost:
        what = f"a call is lost: {call.kind}, to {call.number}, sid {call.sid or 'unknown'}: {call.problem}"
        result.findings.append(Finding(what, f"ledger.json; the switch at {call.switch or 'an unknown address'}"))
    result.findings += [Finding(problem, "the log of that process") for problem in disturbances.problems]
    result.findings += checks.findings
    result.lines.insert(0, ("disturbances", f"{disturbances.done}, {len(disturbances.outages)} of them of switches"))
    return result


def _identify(callers: Callers, inbound: dict[str, tuple[str, str]]) -> None:
    """Note what the platform knows of calls: their sid, and the switch that they came to."""
    for call in callers.calls:
        sid, switch = inbound.get(call.number, (call.sid, call.switch))
        call.sid, call.switch = call.sid or sid, call.switch or switch


def _note_cut_off(callers: Callers, outages: Sequence[Outage], completed: set[str]) -> None:
    """Note the calls that a killed process ended: to a phone, it is a hang-up like any other."""
    for call in callers.calls:
        of_its_switch = call.switch and any(outage.excuses(call) for outage in outages)
        if of_its_switch and not call.problem and call.sid not in completed:
            call.problem = "its switch told no end of it"


def _judge_growth(result: Result, samples: ProcessSamples, seconds: float) -> None:
    result.samples = dict(samples.lives)
    for (name, pid), seen in samples.lives.items():
        found = growth(seen, warm_up(seconds))
        result.growths[name, pid] = found
        if found is not None and not found.is_flat and name not in NOT_JUDGED:
            memory, descriptors = found.memory, found.descriptors
            what = (
                f"{name} grows in {found.span:.0f} s: {memory.gained:+.1f} MB (allowed {memory.allowed:.1f}), "
                f"{descriptors.gained:+.1f} descriptors (allowed {descriptors.allowed:.1f})"
            )
            result.findings.append(Finding(what, f"ledger.json; {name}.log"))
