"""What the environment tells whoever deploys the stacks for `local/compose.yaml`."""

from collections.abc import Mapping
from dataclasses import dataclass

from local.compose.fleet import Addresses
from local.errors import LocalError


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that it is told.

    Attributes:
        ecs_url: the part of AWS that knows tasks.
        platform_password: ours at the call platform.
        bucket: the name of the recordings bucket.
        addresses: of the containers in their network.
        host_address: where clients reach this machine; the gateway answers for it as a domain.
        carrier: an address that the public gateway takes calls from.
        realm, username, password: of the one subscriber.

    """

    ecs_url: str
    platform_password: str
    bucket: str
    addresses: Addresses
    host_address: str
    carrier: str
    realm: str
    username: str
    password: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings.

        Raises:
            LocalError: naming the variable that is not set.

        """

        def text(name: str) -> str:
            if not (value := environment.get(name)):
                raise LocalError(f"environment variable {name} is not set")
            return value

        return cls(
            ecs_url=text("AWS_ENDPOINT_URL_ECS"),
            platform_password=text("CALL_PLATFORM_PASSWORD"),
            bucket=text("FS_RECORDINGS_BUCKET_NAME"),
            addresses=Addresses(text("NETWORK"), text("CLIENT_GATEWAY_ADDRESS"), text("MEDIA_PROXY_ADDRESS")),
            host_address=text("HOST_ADDRESS"),
            carrier=text("CARRIER_ADDRESS"),
            realm=text("SIP_REALM"),
            username=text("SIP_USERNAME"),
            password=text("SIP_PASSWORD"),
        )
