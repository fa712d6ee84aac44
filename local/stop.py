"""`make stop`: ends what `make demo KEEP=1` left running, and what a demo left that was killed."""

import sys
from pathlib import Path

from local.run_directory import HOME, RunDirectory


def main(home: Path = HOME) -> int:
    """End every run that no demo looks after."""
    ended = 0
    for run in RunDirectory.all(home):
        if run.is_looked_after:
            print(f"{run.path.name} belongs to a demo that is under way; left alone")
            continue
        run.end()
        ended += 1
        print(f"{run.path.name} is ended: {', '.join(process.name for process in run.processes)}")
    if not ended:
        print("nothing to stop")
    return 0


if __name__ == "__main__":
    sys.exit(main())
