"""The call platform's stand-in for `local/compose.yaml`: every number that is called is the customer's.

python -m local.compose.call_platform <port> <URL of the customer's first document>
"""

import os
import sys

from tests.fakes.call_platform import CallPlatform


def main(port: int, voice_url: str) -> None:
    """Serve until the process is told to stop."""
    username, password = os.environ["CALL_PLATFORM_USERNAME"], os.environ["CALL_PLATFORM_PASSWORD"]
    platform = CallPlatform(username, password, port, address="0.0.0.0")  # noqa: S104 - it is in a network of its own
    platform.every_number = {"voice_url": voice_url}
    platform.serve()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
