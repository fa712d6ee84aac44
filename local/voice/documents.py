"""The documents of a customer, as files of its server, and what was asked of it."""

import json
from pathlib import Path
from typing import Any

from local.voice.customer import REQUESTS


class Documents:
    """A customer's documents.

    Args:
        directory: where they lie.
        url: where the customer's server is.

    """

    def __init__(self, directory: Path, url: str) -> None:
        self.directory, self.url = directory, url

    def write(self, name: str, verbs: str) -> str:
        """Write a document of some verbs, and return its URL."""
        text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Response>\n  {verbs}\n</Response>\n'
        return self._place(f"{name}.xml", text.encode())

    def audio(self, name: str, content: bytes) -> str:
        """Write a WAV file, and return its URL."""
        return self._place(f"{name}.wav", content)

    def requests(self, name: str = "") -> list[dict[str, Any]]:
        """Return the requests that came, or those for one document."""
        notes = self.directory / REQUESTS
        if not notes.exists():
            return []
        text = notes.read_text()
        found = [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
        return [request for request in found if not name or request["path"] == f"/{name}.xml"]

    def _place(self, name: str, content: bytes) -> str:
        # Never half of it: the server may be reading.
        scratch = self.directory / f".{name}.new"
        scratch.write_bytes(content)
        scratch.replace(self.directory / name)
        return f"{self.url}/{name}"
