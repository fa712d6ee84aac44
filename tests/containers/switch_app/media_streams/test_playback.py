"""The buffer of what a caller is still to hear."""

from hypothesis import given
from hypothesis import strategies as st

from switch_app.media_streams.playback import MARKS_MAXIMUM, Playback

FRAME = 160


def test_audio_comes_out_frame_by_frame_and_the_rest_only_when_it_is_due() -> None:
    playback = Playback(10 * FRAME)
    assert playback.add(b"a" * FRAME + b"b" * 10) == 0
    assert playback.take(is_due=False) == b"a" * FRAME
    assert playback.take(is_due=False) is None
    assert playback.take(is_due=True) == b"b" * 10 + b"\xff" * 150
    assert playback.take(is_due=True) is None


def test_what_there_is_no_room_for_is_not_taken() -> None:
    playback = Playback(FRAME)
    assert playback.add(b"a" * 100) == 0
    assert playback.add(b"b" * 100) == 40
    assert playback.add(b"c") == 1
    assert playback.take(is_due=True) == b"a" * 100 + b"b" * 60


def test_a_mark_is_due_when_the_frame_before_it_was_heard() -> None:
    playback = Playback(10 * FRAME)
    playback.add(b"a" * FRAME)
    playback.mark("after a")
    assert playback.due_marks() == []
    playback.take(is_due=True)
    assert playback.due_marks() == []  # it is being heard
    playback.take(is_due=True)
    assert playback.due_marks() == ["after a"]
    playback.mark("at once")
    assert playback.due_marks() == ["at once"]


def test_clearing_gives_the_marks_and_no_audio() -> None:
    playback = Playback(10 * FRAME)
    playback.mark("first")
    playback.add(b"a" * FRAME)
    playback.mark("second")
    assert (playback.clear(), playback.take(is_due=True), playback.due_marks()) == (["first", "second"], None, [])


def test_marks_are_bounded() -> None:
    playback = Playback(FRAME)
    playback.add(b"a")
    assert all(playback.mark("a") for _ in range(MARKS_MAXIMUM))
    assert not playback.mark("a")


ACTS = st.one_of(
    st.tuples(st.just("add"), st.integers(0, 700)),
    st.tuples(st.just("mark"), st.integers()),
    st.tuples(st.just("take"), st.booleans()),
    st.tuples(st.just("clear"), st.none()),
)


@given(st.lists(ACTS))
def test_nothing_is_lost_or_heard_twice(acts: list[tuple[str, int]]) -> None:
    playback = Playback(1000)
    expected, heard, number = bytearray(), bytearray(), 0
    made: list[str] = []
    returned: list[str] = []
    for act, value in acts:
        if act == "add":
            audio = bytes((number + at) % 251 for at in range(value))
            number += value
            dropped = playback.add(audio)
            assert 0 <= dropped <= value
            expected += audio[: value - dropped]
        elif act == "mark":
            made.append(str(len(made)))
            playback.mark(made[-1])
        elif act == "take":
            frame = playback.take(is_due=bool(value))
            waiting = min(FRAME, len(expected) - len(heard))
            assert frame is None or len(frame) == FRAME
            heard += (frame or b"")[:waiting]
        else:
            returned += playback.clear()
            del expected[len(heard) :]
        returned += playback.due_marks()
        assert len(playback) <= 1000
        assert expected.startswith(heard)
    while playback.take(is_due=True) is not None:
        pass
    playback.take(is_due=True)
    assert returned + list(playback.due_marks()) == made
