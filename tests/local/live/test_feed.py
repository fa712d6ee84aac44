"""What listeners get: a snapshot and patches, or what they missed; those that do not listen are dropped."""

import json
from typing import Any

from local.live.feed import Feed, Listener


def feed(snapshot: dict[str, Any] | None = None, **options: int) -> Feed:
    return Feed("abcd", lambda: snapshot or {}, lambda: 17, **options)


def waiting(listener: Listener) -> list[str | None]:
    return [listener.queue.get_nowait() for _ in range(listener.queue.qsize())]


def parsed(text: str | None) -> tuple[str, str, Any]:
    assert text is not None
    lines = dict(line.split(": ", 1) for line in text.strip().splitlines())
    assert text.endswith("\n\n")
    return lines["id"], lines["event"], json.loads(lines["data"])


def patch(number: int) -> dict[str, Any]:
    return {"put": {"queues": {"jobs": {"waiting": number}}}, "remove": {}}


def test_the_whole_first_and_then_what_changes() -> None:
    told = feed({"queues": {}})
    listener = told.join()
    told.publish(patch(1))
    first, second = map(parsed, waiting(listener))
    assert first == ("abcd-0", "snapshot", {"rows": {"queues": {}}, "now": 17})
    assert second == ("abcd-1", "patch", {**patch(1), "now": 17})


def test_who_comes_back_gets_what_was_missed() -> None:
    told = feed()
    for number in range(1, 6):
        told.publish(patch(number))
    assert [parsed(text)[0] for text in waiting(told.join("abcd-3"))] == ["abcd-4", "abcd-5"]
    assert waiting(told.join("abcd-5")) == []


def test_who_missed_too_much_or_comes_from_another_process_gets_the_whole() -> None:
    told = feed(remembered=2)
    for number in range(1, 6):
        told.publish(patch(number))
    for last in ("abcd-2", "ffff-5", "abcd-6", "abcd-x", "abcd-²", "nonsense", "", None):
        assert [parsed(text)[1] for text in waiting(told.join(last))] == ["snapshot"], last


def test_who_does_not_listen_is_dropped_and_the_others_are_told() -> None:
    told = feed(waiting=3)
    slow, quick = told.join(), told.join()
    for number in range(1, 10):
        waiting(quick)
        told.publish(patch(number))
    assert waiting(slow) == [None]
    assert parsed(waiting(quick)[-1])[0] == "abcd-9"
    assert len(told) == 1
    told.leave(quick)
    assert len(told) == 0


def test_text_cannot_end_an_event() -> None:
    listener = feed({"queues": {"a\n\nevent: evil": {}}}).join()
    (text,) = waiting(listener)
    assert text is not None
    assert text.count("\n\n") == 1
