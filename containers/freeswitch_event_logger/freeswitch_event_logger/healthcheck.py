"""What the container's health check runs: exit status 0 when the sidecar answers and is connected to FreeSWITCH.

A platform that is down, and records that therefore wait, are no reason to replace a switch with live calls; `GET
/health` and the metrics tell of them.
"""

import os
import sys
import urllib.error
import urllib.request


def main() -> int:
    """Ask the sidecar in this container."""
    url = f"http://127.0.0.1:{os.environ.get('HEALTHCHECK_PORT') or '8080'}/health/event_socket"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=4) as answer:
            return 0 if answer.status == 200 else 1
    except (OSError, urllib.error.URLError) as error:
        print(f"{url}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
