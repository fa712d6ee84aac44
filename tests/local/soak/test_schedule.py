"""The disturbances of a soak: drawn by a seed, and possible in their order."""

import pytest

from local.soak.schedule import Disturbance, Kind, draw


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("duration", [40, 600])
def test_every_kind_comes_and_what_it_is_about_runs_by_then(seed: int, duration: float) -> None:
    drawn = draw(seed, duration, "switch-1")
    assert {each.kind for each in drawn} == set(Kind)
    assert [each.at for each in drawn] == sorted(each.at for each in drawn)
    assert 0 < drawn[0].at < drawn[-1].at < duration
    running, most = {"switch-1"}, 1
    for each in drawn:
        if each.kind is Kind.JOIN:
            assert each.target not in running
            running.add(each.target)
        elif each.kind is Kind.DRAIN:
            running.remove(each.target)
        elif each.kind in (Kind.KILL_APP, Kind.KILL_FREESWITCH, Kind.KILL_EVENT_LOGGER):
            assert any(each.target.startswith(f"{name}-") for name in running)
        most = max(most, len(running))
        assert 1 <= len(running) <= 3
    assert most >= 2


@pytest.mark.parametrize("seed", range(40))
def test_one_switch_is_left_alone_from_the_middle_on(seed: int) -> None:
    drawn = draw(seed, 600, "switch-1")
    running = ["switch-1"]
    for each in drawn[: len(drawn) // 2]:
        if each.kind is Kind.JOIN:
            running.append(each.target)
        elif each.kind is Kind.DRAIN:
            running.remove(each.target)
    touched = " ".join(each.target for each in drawn[len(drawn) // 2 :])
    assert running[0] not in touched.replace("-app", "").replace("-freeswitch", "").replace("-event-logger", "").split()


def test_a_seed_draws_the_same_again_and_another_one_something_else() -> None:
    assert draw(7, 600, "switch-1") == draw(7, 600, "switch-1") != draw(8, 600, "switch-1")


def test_a_longer_soak_has_more_of_them() -> None:
    assert len(draw(7, 600, "switch-1")) > len(draw(7, 60, "switch-1")) >= len(Kind)


def test_both_schedulers_have_their_turn() -> None:
    kills = [each.target for each in draw(3, 3600, "switch-1") if each.kind is Kind.KILL_SCHEDULER]
    assert set(kills) == {"public-scheduler", "client-scheduler"}


def test_one_reads_what_happens_when() -> None:
    assert str(Disturbance(12.4, Kind.PAUSE_EMULATOR, seconds=2.5)) == "   12 s  AWS does not answer (2.5 s)"
    assert str(Disturbance(300, Kind.JOIN, "switch-2")) == "  300 s  a switch joins: switch-2"
