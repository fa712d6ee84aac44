"""What the container's health check runs: exit status 0 when the app answers and FreeSWITCH takes calls.

A switch that drains is healthy in this sense: it must not be replaced for it. The load balancer asks for more.
"""

import os
import sys
import urllib.error
import urllib.request


def main() -> int:
    """Ask the app in this container."""
    address, port = os.environ.get("HTTP_ADDRESS") or "127.0.0.1", os.environ.get("AHN_CORE_HTTP_PORT") or "3000"
    if address in ("0.0.0.0", "::"):  # noqa: S104 - it is connected to, not listened on
        address = "127.0.0.1"
    host = f"[{address}]" if ":" in address else address
    url = f"http://{host}:{port}/health_checks/freeswitch"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=4) as answer:
            return 0 if answer.status == 200 else 1
    except (OSError, urllib.error.URLError) as error:
        print(f"{url}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
