"""A switch's task: FreeSWITCH, event logger and app as processes, told to stop as ECS tells their containers."""

import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from local import servers
from local.containers.switch_app import switch_app
from tests.support.event_logger import EventLogger
from tests.support.freeswitch import PASSWORD, FreeSwitchProcess
from tests.support.waiting import until

_LISTENS = 3000


@dataclass(frozen=True)
class Ended:
    """How a task ended: exit statuses, and seconds since it was told."""

    app: int
    freeswitch: int
    event_logger: int
    seconds: float


class SwitchTask:
    """A task, as a context.

    Args:
        name: of the task.
        directory: an empty directory with a short path.
        address: where all of it listens.
        settings: of the app and the event logger: where they find everything else.

    """

    def __init__(self, name: str, directory: Path, address: str, settings: Mapping[str, str]) -> None:
        self.name, self.address, self.directory = name, address, directory
        directory.mkdir()
        handover = f"{address}:8084"
        self.freeswitch = FreeSwitchProcess(directory, address, handover, {"FS_STOP_DELAY": "3"})
        own = {
            "AHN_HTTP_PASSWORD": "password",
            "HOST_ADDRESS": address,
            "FS_EVENT_SOCKET_HOST": address,
            "FS_EVENT_SOCKET_PASSWORD": PASSWORD,
            "FS_SWITCH_APP_ADDRESS": handover,
            "FS_CACHE_DIRECTORY": str(directory / "cache"),
            "FS_STORAGE_DIRECTORY": str(directory),
            "CALL_DATA_RECORDS_DIRECTORY": str(self.freeswitch.records),
            **settings,
        }
        self._container = switch_app(address, _LISTENS, own)
        self._app: subprocess.Popen[bytes] | None = None
        # As rarely as in production; the test's clock is the calls'.
        intervals = {"CALL_STATUS_HEARTBEAT_INTERVAL_SECONDS": "30", "METRICS_INTERVAL": "60", **settings}
        self._event_logger = EventLogger(
            directory,
            f"{address}:8021",
            PASSWORD,
            settings["CALL_PLATFORM_HOST"],
            settings["AWS_ENDPOINT_URL"],
            servers.free_port(),
            {**intervals, "SESSION_COUNT_INTERVAL": "20"},
        )

    def __enter__(self) -> Self:
        self._event_logger.start()
        self.freeswitch.start()
        with (self.directory / "app.log").open("ab") as log:
            command, environment = self._container.command, self._container.environment
            self._app = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            until(f"the app of {self.name}", self._container.is_healthy, 20)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._app is not None:
            self._app.kill()
            self._app.wait()
        self.freeswitch.stop(kill=True)
        self._event_logger.kill()

    def stop(self, seconds: float) -> Ended:
        """Tell each process to stop once those that depend on it have ended, and return when all have.

        Raises:
            subprocess.TimeoutExpired: when one takes longer than some seconds: ECS would kill it.

        """
        freeswitch = self.freeswitch.process
        assert self._app is not None
        assert freeswitch is not None
        began = time.monotonic()
        self._app.terminate()
        app = self._app.wait(seconds)
        freeswitch.terminate()
        freeswitch_status = freeswitch.wait(seconds)
        self._event_logger.tell()
        return Ended(app, freeswitch_status, self._event_logger.end(seconds), time.monotonic() - began)

    def app_log(self) -> str:
        """Return what the app logged."""
        return (self.directory / "app.log").read_text()

    def left(self) -> list[str]:
        """Return the files of records and recordings that are still on its disk."""
        folders = (self.freeswitch.records, self.directory / "recordings")
        return [path.name for folder in folders for path in folder.rglob("*") if path.is_file()]
