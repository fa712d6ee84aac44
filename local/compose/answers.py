"""The stand-ins' health check: `python -m local.compose.answers <url>` ends with 0 when the answer to it is 200."""

import sys
import urllib.error
import urllib.request


def main(url: str) -> int:
    """Ask once, within four seconds."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=4) as answer:
            return 0 if answer.status == 200 else 1
    except (OSError, urllib.error.URLError) as error:
        print(f"{url}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
