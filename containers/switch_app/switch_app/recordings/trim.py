"""Takes silence off both ends of a recording, however long it is."""

import os
import sys
from array import array
from pathlib import Path
from typing import BinaryIO, Final

from switch_app.recordings.wav import PCM, WavLayout, read_layout

_WINDOW_SECONDS: Final = 0.02
_KEPT_SECONDS: Final = 0.2
"""Of silence around what is heard: a word begins and ends more softly than it is."""
_LOUDEST_SILENCE: Final = 328
"""Of 32768, -40 dBFS: noise of a line stays below, speech does not."""
_PIECE_BYTES: Final = 256 * 1024
_SAMPLE_BYTES: Final = 2


def trim_silence(path: Path) -> None:
    """Take the silence off both ends of a WAV file, which is replaced; one of nothing but silence loses it all.

    Only 16-bit PCM is looked at, which is what recordings are; any other file is left as it is.

    Raises:
        NotWav: when it is no WAV file.

    """
    with path.open("rb") as file:
        layout = read_layout(file)
        if layout.coding != PCM or layout.sample_bytes != _SAMPLE_BYTES:
            return
        begin, end = _heard(file, layout)
        if (begin, end) == (0, layout.length):
            return
        partial = path.with_name(f".{path.name}.partial")
        with partial.open("wb") as trimmed:
            trimmed.write(layout.header(end - begin))
            _copy(file, trimmed, layout.offset + begin, end - begin)
            trimmed.flush()
            os.fsync(trimmed.fileno())
    partial.replace(path)


def _heard(file: BinaryIO, layout: WavLayout) -> tuple[int, int]:
    """Return from where to where something is heard, in bytes from the first sample."""
    window = int(layout.rate * _WINDOW_SECONDS) * layout.block_bytes or layout.block_bytes
    kept = int(layout.rate * _KEPT_SECONDS) * layout.block_bytes
    starts = range(0, layout.length, window)
    first = next((start for start in starts if _is_loud(file, layout, start, window)), None)
    if first is None:
        return 0, 0
    last = next(start for start in reversed(starts) if _is_loud(file, layout, start, window))
    return max(0, first - kept), min(layout.length, last + window + kept)


def _is_loud(file: BinaryIO, layout: WavLayout, start: int, window: int) -> bool:
    file.seek(layout.offset + start)
    samples = array("h", file.read(min(window, layout.length - start)))
    if sys.byteorder == "big":
        samples.byteswap()
    return bool(samples) and max(max(samples), -min(samples)) > _LOUDEST_SILENCE


def _copy(source: BinaryIO, target: BinaryIO, offset: int, length: int) -> None:
    source.seek(offset)
    while length > 0 and (piece := source.read(min(_PIECE_BYTES, length))):
        target.write(piece)
        length -= len(piece)
