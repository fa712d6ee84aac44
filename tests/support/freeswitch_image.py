"""Builds FreeSWITCH's image with the FreeSWITCH of this machine: the one of its makers' repository wants a token."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.support import freeswitch
from tests.support.dockerfiles import ROOT
from tests.support.images import ImageStore

NAME = "localhost/somleng-switch/freeswitch"
MODULES = "/usr/lib/freeswitch/mod"
"""Where the image has the modules: the setting FREESWITCH_MODULES must say so, whatever the program was made with."""

_SYSTEM = re.compile(r"lib(c|m|dl|rt|pthread|resolv)\.so\..*|ld-linux.*")
"""Libraries that every Debian has, and that must be those of one release."""


def build(store: ImageStore, debian: str, directory: Path) -> None:
    """Build it, as user, scripts and configuration are; only where the program comes from is another.

    Args:
        store: where the image goes.
        debian: the base image; this machine must be of the same release.
        directory: an empty one, for the context.

    """
    program = Path(freeswitch.BINARY or "")
    modules = Path(os.environ.get("FREESWITCH_MODULES") or "/usr/lib/freeswitch/mod")
    libraries = directory / "libraries"
    libraries.mkdir()
    for name, path in _libraries(program, *modules.glob("*.so")):
        shutil.copy(path, libraries / name)
    base = "localhost/debian-with-freeswitch"
    added = {"/usr/bin/freeswitch": program, MODULES: modules, f"/usr/lib/{os.uname().machine}-linux-gnu": libraries}
    store.commit(base, added, debian)

    context = directory / "context"
    shutil.copytree(ROOT / "containers" / "freeswitch", context)
    written = (context / "Dockerfile").read_text().replace("FROM debian:bookworm-slim", f"FROM {base}", 1)
    # Of the first step stay the user, the directories, and the packages that are Debian's.
    for replaced in (r"--mount=type=secret\S+ ", r"&& repository=.*?(?=&& rm -rf)"):
        written, count = re.subn(replaced, "", written, flags=re.DOTALL)
        assert count == 1
    (context / "Dockerfile").write_text(written)
    options = ["--network", "host", "--pull-never", "--format", "docker", "--tag", NAME.removeprefix("localhost/")]
    store.buildah("build", *options, str(context))


def _libraries(*programs: Path) -> Iterator[tuple[str, Path]]:
    """Tell what programs are linked with, by name, and where this machine has it."""
    listed = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=True).stdout
    for name, path in sorted(set(re.findall(r"^\s+(\S+) => (\S+) \(", listed, re.MULTILINE))):
        if not _SYSTEM.fullmatch(name):
            yield name, Path(path)
