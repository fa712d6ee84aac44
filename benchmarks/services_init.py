"""How long the services function takes from import to ready, and which modules the time goes to.

Ready means what it means in Lambda: settings read, clients and workflows built. Each sample is a new interpreter, as
each execution environment is; the least anything that talks to DynamoDB can take, boto3 with one client, is measured in
turn with it. Python's own start is not counted, for Lambda has done that before.

    make bench, or python -m benchmarks.services_init [--samples 15]
"""

import argparse
import os
import statistics
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.support.services_environment import AWS, services_environment

ROOT = Path(__file__).resolve().parent.parent
GOAL_MILLISECONDS = 300
_SHOWN = 12
ENVIRONMENT = {
    **AWS,
    **services_environment("https://sqs.ap-southeast-1.amazonaws.com/123456789012/switch-services"),
    "AWS_LAMBDA_FUNCTION_NAME": "services",  # as in Lambda, everything is built before the first event
    "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "layers/routing/python")]),
}
FUNCTION = "import lambdas.services.handler"
BARE = "import boto3; boto3.client('dynamodb')"
TIMED = "import time; began = time.perf_counter(); {}; print((time.perf_counter() - began) * 1000)"


def _run(*arguments: str, build: bool = True) -> subprocess.CompletedProcess[str]:
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | ENVIRONMENT
    if not build:
        del environment["AWS_LAMBDA_FUNCTION_NAME"]
    return subprocess.run(
        [sys.executable, *arguments], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )


def _milliseconds(statement: str, *, build: bool = True) -> float:
    return float(_run("-c", TIMED.format(statement), build=build).stdout)


def _by_package() -> Counter[str]:
    """Return the milliseconds of each top-level package's own code (`-X importtime`, which itself costs some)."""
    times: Counter[str] = Counter()
    for line in _run("-X", "importtime", "-c", FUNCTION, build=False).stderr.splitlines():
        own, _, name = line.removeprefix("import time:").split("|")
        if own.strip().isdecimal():
            times[name.strip().split(".")[0]] += int(own)
    return Counter({name: microseconds // 1000 for name, microseconds in times.items()})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--samples", type=int, default=15)
    samples = parser.parse_args().samples
    _milliseconds(FUNCTION)  # writes byte code and warms the disk
    function, imports, bare = [], [], []
    for _ in range(samples):
        function.append(_milliseconds(FUNCTION))
        imports.append(_milliseconds(FUNCTION, build=False))
        bare.append(_milliseconds(BARE))
    ready, least = statistics.median(function), statistics.median(bare)
    print(f"import to ready         {ready:6.0f} ms  median of {samples} ({min(function):.0f} to {max(function):.0f})")
    print(f"boto3 with one client   {least:6.0f} ms  median of {samples} ({min(bare):.0f} to {max(bare):.0f})")
    print(f"ratio                   {ready / least:6.2f}")
    print(f"goal                    {GOAL_MILLISECONDS:6} ms  {'met' if ready < GOAL_MILLISECONDS else 'MISSED'}")
    print(f"\nof which imports        {statistics.median(imports):6.0f} ms")
    print(f"clients and workflows   {ready - statistics.median(imports):6.0f} ms")
    print("\nimports, own milliseconds of each package (-X importtime adds some):")
    packages = _by_package()
    for name, milliseconds in packages.most_common(_SHOWN):
        print(f"  {name:22}{milliseconds:6}")
    print(f"  {'the rest':22}{packages.total() - sum(count for _, count in packages.most_common(_SHOWN)):6}")


if __name__ == "__main__":
    main()
