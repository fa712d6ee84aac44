"""Each call is accounted for, or it is lost."""

from local.soak.ledger import Outage, Placed, accounts

SWITCH, OTHER = "127.20.4.10", "127.20.4.11"
OUTAGE = Outage("switch-1-app", SWITCH, 100.0, 102.0)


def call(began: float, ended: float, *, switch: str = "", refused: str = "", problem: str = "") -> Placed:
    return Placed("7000001", "Say", began, ended, "", switch, refused, problem)


def test_calls_are_counted_by_what_became_of_them() -> None:
    calls = [
        call(1, 2),
        call(1, 2),
        call(1, 2, refused="403"),
        call(99, 101, switch=SWITCH, problem="no answer"),
        call(1, 2, problem="no answer"),
    ]
    account = accounts(calls, [OUTAGE])["Say"]
    assert (account.placed, account.completed, account.refused, account.killed) == (5, 2, {"403": 1}, 1)
    assert account.lost == [calls[-1]]


def test_kinds_have_accounts_of_their_own() -> None:
    other = Placed("7000002", "Dial", 1, 2)
    assert {kind: each.placed for kind, each in accounts([call(1, 2), other], []).items()} == {"Say": 1, "Dial": 1}


def test_a_killed_process_accounts_for_calls_of_its_switch_and_of_its_time() -> None:
    assert OUTAGE.excuses(call(99, 101, switch=SWITCH))
    assert OUTAGE.excuses(call(101, 120, switch=SWITCH))
    assert OUTAGE.excuses(call(101, 120)), "no switch took it: it may have been meant for this one"
    assert not OUTAGE.excuses(call(99, 101, switch=OTHER))
    assert not OUTAGE.excuses(call(50, 99, switch=SWITCH))
    assert not OUTAGE.excuses(call(103, 105, switch=SWITCH))
    assert not OUTAGE.excuses(call(103, 105))
