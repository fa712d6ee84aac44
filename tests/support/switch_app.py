"""Starts the switch app as its container does."""

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from local import servers
from local.containers.switch_app import switch_app

PASSWORD_PARAMETER = "somleng.test.services_password"
_READY_SECONDS = 20.0


class SwitchApp:
    """The switch app, as a process of its own and a context: what is inside goes on when it takes calls.

    Args:
        directory: an empty one, for what it writes.
        endpoint: where AWS is; the parameter `PASSWORD_PARAMETER` must be there.
        settings: further environment, such as where the platform and FreeSWITCH are.
        python: the interpreter that it runs on; it must have what the image's `requirements.txt` names.

    """

    def __init__(
        self, directory: Path, endpoint: str, settings: Mapping[str, str], python: str = sys.executable
    ) -> None:
        self._python = python
        self.port = servers.free_port()
        self.log = directory / "switch_app.log"
        own = {
            "AWS_ENDPOINT_URL": endpoint,
            "AHN_HTTP_PASSWORD": "password",
            "CALL_PLATFORM_PASSWORD_PARAMETER": PASSWORD_PARAMETER,
            "FS_CACHE_DIRECTORY": str(directory / "cache"),
            "FS_RECORDINGS_BUCKET_NAME": "raw-recordings.example",
            "FS_STORAGE_DIRECTORY": str(directory / "storage"),
            "HOST_ADDRESS": "10.10.1.13",
            "REGION": "hydrogen",
            "SERVICES_FUNCTION_ARN": "arn:aws:lambda:ap-southeast-1:123456789012:function:services",
            **settings,
        }
        self._container = switch_app(servers.HOST, self.port, own)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process number."""
        assert self.process is not None
        return self.process.pid

    def __enter__(self) -> Self:
        with self.log.open("ab") as log:
            command = [self._python, *self._container.command[1:]]
            self.process = subprocess.Popen(command, env=self._container.environment, stdout=log, stderr=log)
        deadline = time.monotonic() + _READY_SECONDS
        while not self._container.is_healthy():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise AssertionError(f"the switch app takes no calls\n{self.log.read_text()[-4000:]}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
