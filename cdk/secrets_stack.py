"""The passwords that are the switch's own."""

from aws_cdk import Environment, RemovalPolicy, Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from cdk.constructs.published import Published
from cdk.nag import acknowledge
from cdk.settings import Settings

EVENT_SOCKET_PASSWORD = "event-socket-password"  # noqa: S105 - a name
HTTP_PASSWORD = "http-password"  # noqa: S105 - a name

_MEANINGS = {
    EVENT_SOCKET_PASSWORD: "FreeSWITCH's event socket: switch app, event logger and gateways log in with it",
    HTTP_PASSWORD: "the switch app's HTTP API: the platform logs in with it",
}


def secret_name(settings: Settings, name: str) -> str:
    """Return the full name of a secret, the same in every region."""
    return f"somleng-switch/{settings.environment}/{name}"


def container_secret(scope: Construct, settings: Settings, name: str) -> ecs.Secret:
    """Return a secret as containers get it: ECS reads it when a task starts, in the task's own region.

    Call it once for a secret and scope; containers of one task share what it returns.
    """
    construct_id = "".join(part.title() for part in name.split("-"))
    secret = secretsmanager.Secret.from_secret_name_v2(scope, construct_id, secret_name(settings, name))
    return ecs.Secret.from_secrets_manager(secret)


class SecretsStack(Stack):
    """Secrets that Secrets Manager makes up itself, in the home region, with a copy in each other region.

    Nobody types or sees them; the platform's operator reads the HTTP password once. What containers are given is what
    the secret holds when their task starts.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(
            scope,
            construct_id,
            env=Environment(region=settings.home_region),
            description=f"SomlengSWITCH ({settings.environment}): passwords",
            termination_protection=settings.protect_data,
        )
        published = Published(self, "Published", settings=settings)
        for name, meaning in _MEANINGS.items():
            words = "".join(part.title() for part in name.split("-"))
            secret = secretsmanager.Secret(
                self,
                words,
                secret_name=secret_name(settings, name),
                description=meaning,
                # Letters and digits alone: the same password stands in XML, in URLs and in OpenSIPS's database.
                generate_secret_string=secretsmanager.SecretStringGenerator(
                    password_length=40, exclude_punctuation=True
                ),
                replica_regions=[
                    secretsmanager.ReplicaRegion(region=region.identifier) for region in settings.other_regions
                ],
                removal_policy=RemovalPolicy.RETAIN if settings.protect_data else RemovalPolicy.DESTROY,
            )
            published.output(f"{words}Secret", secret_name(settings, name), f"Name of the secret: {meaning}")
            acknowledge(
                secret,
                "AwsSolutions-SMG4",
                "Both ends of the password have to change together, which takes new tasks: it is rotated by an "
                "operator, in an order that loses no call.",
            )
