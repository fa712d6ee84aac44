"""The regions as processes read them."""

import json
from dataclasses import asdict

from cdk.settings import Settings


def region_data(settings: Settings) -> str:
    """Return the value of `REGION_DATA`: a JSON list with one object a region."""
    return json.dumps([asdict(region) for region in settings.regions], separators=(",", ":"))
