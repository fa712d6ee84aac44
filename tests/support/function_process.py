"""The services function in a process of its own that can be killed, as Lambda kills one whose time is over.

    python -m tests.support.function_process <descriptor>

reads events from standard input, a line of JSON each. It invokes the function in a copy of itself, which has never been
used before, and writes to the descriptor the copy's process id, and then what came of it: the answer as JSON,
`failed`, or `killed`.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from types import SimpleNamespace
from typing import IO, Any, Self

FAILED, KILLED = "failed", "killed"


class FunctionProcess:
    """The process, as a context.

    Args:
        environment: the function's.

    Attributes:
        process_id: of the copy that works on an event.

    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self.process_id = 0

    def __enter__(self) -> Self:
        reading, writing = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.function_process", str(writing)],
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[writing],
            text=True,
        )
        os.close(writing)
        self._told: IO[str] = os.fdopen(reading)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._told.close()

    def invoke(self, event: dict[str, Any]) -> Any:
        """Hand an event over; return the answer, `FAILED` or `KILLED`."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(event) + "\n")
        self._process.stdin.flush()
        self.process_id = int(self._told.readline())
        return json.loads(self._told.readline())


def _main(descriptor: int) -> None:
    import boto3

    from lambdas.services.handler import handler

    for service in ("dynamodb", "ecs", "sqs", "ssm"):
        boto3.client(service)  # what AWS's services look like is read once, for all copies
    context = SimpleNamespace(aws_request_id="request-1", get_remaining_time_in_millis=lambda: 60_000)
    with os.fdopen(descriptor, "w") as told:
        for line in sys.stdin:
            reading, writing = os.pipe()
            process_id = os.fork()
            if process_id == 0:
                try:
                    answer: Any = handler(json.loads(line), context)
                except Exception:  # noqa: BLE001 - as Lambda does
                    answer = FAILED
                os.write(writing, json.dumps(answer).encode())
                os._exit(0)
            os.close(writing)
            told.write(f"{process_id}\n")
            told.flush()
            with os.fdopen(reading) as answers:
                answer = answers.read()
            os.waitpid(process_id, 0)
            told.write(f"{answer or json.dumps(KILLED)}\n")
            told.flush()


if __name__ == "__main__":
    _main(int(sys.argv[1]))
