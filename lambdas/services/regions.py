"""The regions that switches run in, and what the platform calls them."""

import json
from dataclasses import dataclass

from lambdas.services.errors import InvalidSetting, UnknownRegion


@dataclass(frozen=True, slots=True)
class Region:
    """One region.

    Attributes:
        identifier: AWS's name, `ap-southeast-1`.
        alias: the platform's name, `hydrogen`.
        group_id: load-balancing group of its switches.
        human_name: for people.
        nat_ip: the address that its switches' media leaves from.

    """

    identifier: str
    alias: str
    group_id: int
    human_name: str = ""
    nat_ip: str = ""


@dataclass(frozen=True, slots=True)
class Regions:
    """All regions."""

    members: tuple[Region, ...]

    @classmethod
    def parse(cls, text: str) -> "Regions":
        """Read the JSON list of `REGION_DATA`.

        Raises:
            InvalidSetting: saying what is wrong with which entry.

        """
        try:
            entries = json.loads(text)
        except ValueError as error:
            raise InvalidSetting(f"REGION_DATA is not JSON: {error}") from error
        if not isinstance(entries, list) or not entries:
            raise InvalidSetting("REGION_DATA is not a JSON list of regions")
        return cls(tuple(_region(index, entry) for index, entry in enumerate(entries)))

    def __getitem__(self, identifier: str) -> Region:
        for region in self.members:
            if region.identifier == identifier:
                return region
        known = ", ".join(region.identifier for region in self.members)
        raise UnknownRegion(f"region {identifier!r} is not in REGION_DATA, which has {known}")


def _region(index: int, entry: object) -> Region:
    if not isinstance(entry, dict):
        raise InvalidSetting(f"REGION_DATA[{index}] is not an object")
    for name, kind in (("identifier", str), ("alias", str), ("group_id", int)):
        if not isinstance(entry.get(name), kind):
            raise InvalidSetting(f"REGION_DATA[{index}].{name} is {entry.get(name)!r}")
    return Region(
        entry["identifier"],
        entry["alias"],
        entry["group_id"],
        str(entry.get("human_name", "")),
        str(entry.get("nat_ip", "")),
    )
