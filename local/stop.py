"""`make stop`: ends what `make demo KEEP=1` keeps running, and what a demo left that was killed."""

import sys
from pathlib import Path

from local.run_directory import HOME, RunDirectory


def main(home: Path = HOME) -> int:
    """End every run but those of demos that are not through their steps yet."""
    ended = 0
    for run in RunDirectory.all(home):
        if run.is_looked_after and not run.is_kept:
            print(f"{run.path.name} belongs to a demo that is under way; left alone")
            continue
        run.tell_owner()
        run.end()
        ended += 1
        print(f"{run.path.name} is ended: {', '.join(process.name for process in run.processes)}")
    if not ended:
        print("nothing to stop")
    return 0


if __name__ == "__main__":
    sys.exit(main())
