"""Memory and descriptors of real processes, with all that they started."""

import os
import sys
import time
from pathlib import Path

import pytest

from local.processes import Server
from local.soak.process_samples import ProcessSamples

pytestmark = pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="no /proc/<pid>/smaps_rollup")

_PROGRAM = """
import os, pathlib, time
taken = bytearray(os.urandom(30_000_000))
files = [open(os.devnull) for _ in range(50)]
child = os.fork()
if child == 0:
    files += [open(os.devnull) for _ in range(20)]
pathlib.Path("child" if child == 0 else "parent").touch()
time.sleep(60)
"""


def test_a_sample_is_of_a_process_and_its_children_and_counts_shared_memory_once(tmp_path: Path) -> None:
    def is_ready() -> bool:
        return (tmp_path / "child").exists() and (tmp_path / "parent").exists()

    server = Server("taker", [sys.executable, "-c", _PROGRAM], dict(os.environ), tmp_path, is_ready)
    idle = Server("none", [sys.executable], {}, tmp_path, lambda: True)
    server.start()
    try:
        server.wait_until_ready(10)
        seen = ProcessSamples(lambda: [server, idle], 0.05)
        with seen:
            deadline = time.monotonic() + 10
            while not seen.lives and time.monotonic() < deadline:
                time.sleep(0.05)
    finally:
        server.stop()
    ((name, pid), samples), *others = seen.lives.items()
    assert (name, others) == ("taker", [])
    assert pid > 0
    assert 30 < samples[0].megabytes < 58, "30 MB that both have, and what two interpreters take"
    assert 2 * 53 + 20 <= samples[0].descriptors < 2 * 53 + 40
    seen.look()
    assert len(seen.lives[name, pid]) == len(samples), "what has ended has no samples any more"
