"""Tell the platform how many switches run in a region."""

from lambdas.services.call_platform import CallPlatform
from lambdas.services.container_service import ContainerService
from lambdas.services.jobs import CapacityChange
from lambdas.services.regions import Regions


class NotifyCapacity:
    """Counts switches now, whatever the message said when it was sent, and tells the platform."""

    def __init__(self, regions: Regions, container_service: ContainerService, call_platform: CallPlatform) -> None:
        self._regions = regions
        self._container_service = container_service
        self._call_platform = call_platform

    def call(self, change: CapacityChange) -> int:
        """Return the capacity that the platform was told.

        Raises:
            UnknownRegion: when REGION_DATA does not have the region.
            CallPlatformError: when the platform was not told.

        """
        region = self._regions[change.region]
        capacity = self._container_service.count_tasks(region.identifier, change.cluster, change.family)
        self._call_platform.update_capacity(region.alias, capacity)
        return capacity
