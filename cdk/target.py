"""What a bundle must run on: a Python and a machine; and how pip, and a requirement's marker, are told so."""

import platform
import sys
from dataclasses import dataclass

from packaging.markers import default_environment

from cdk.settings import Architecture

LAMBDA_PYTHON = "3.13"
"""The Python of the functions on AWS."""

_MACHINES = {Architecture.ARM64: "aarch64", Architecture.X86_64: "x86_64"}
_ARCHITECTURES = {"aarch64": "arm64", "arm64": "arm64", "x86_64": "x86_64", "amd64": "x86_64"}

# Lambda's Python 3.13 runs on Amazon Linux 2023 (glibc 2.34), so wheels for any older glibc fit.
_PLATFORMS = ("manylinux2014", "manylinux_2_17", "manylinux_2_24", "manylinux_2_28", "manylinux_2_34")


@dataclass(frozen=True, slots=True)
class Target:
    """A Python and a machine.

    Parameters:
        python_version: minor version, such as `3.13`.
        architecture: Lambda's name of the machine, `arm64` or `x86_64`.
        machine: Linux's name of it, which wheels carry; None for the machine that bundles, whatever system it runs.

    """

    python_version: str
    architecture: str
    machine: str | None

    @classmethod
    def of(cls, architecture: Architecture) -> "Target":
        """Return the target of a deployment with this architecture.

        `host` is this machine with this interpreter: an emulator runs functions with the Python that it was started
        with, which is of the same minor version as the CDK app's.
        """
        if architecture is Architecture.HOST:
            version = f"{sys.version_info.major}.{sys.version_info.minor}"
            return cls(version, _ARCHITECTURES.get(platform.machine().lower(), "x86_64"), None)
        return cls(LAMBDA_PYTHON, architecture.value, _MACHINES[architecture])

    def pip_options(self) -> list[str]:
        """Return pip's options that choose wheels for this target; none for the host, whose own are pip's choice."""
        if self.machine is None:
            return []
        platforms = [f"--platform={name}_{self.machine}" for name in _PLATFORMS]
        # pip compares a wheel's Requires-Python with the interpreter that runs pip, whatever --python-version says.
        # The pins are locked, and a wheel's tags are compared with the target all the same.
        version = [f"--python-version={self.python_version}", "--ignore-requires-python"]
        return [*platforms, *version, "--implementation=cp"]

    def marker_environment(self) -> dict[str, str]:
        """Return the environment that a requirement's marker is to be judged by.

        pip judges markers by the interpreter that runs it, even when it was told another Python version.
        """
        environment = {key: str(value) for key, value in default_environment().items()}
        if self.machine is None:
            return environment
        return environment | {
            "implementation_name": "cpython",
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_system": "Linux",
            "python_full_version": f"{self.python_version}.0",
            "python_version": self.python_version,
            "sys_platform": "linux",
        }
