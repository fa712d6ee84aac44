"""The seven DynamoDB tables that routing lives in."""

from dataclasses import dataclass

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

TTL_ATTRIBUTE = "expires"
"""Attribute that holds the epoch second from which DynamoDB may delete an item."""

_STRING = dynamodb.AttributeType.STRING
_NUMBER = dynamodb.AttributeType.NUMBER


@dataclass(frozen=True, slots=True)
class TableShape:
    """What a table looks like.

    Parameters:
        name: its name in the change journal; in upper case and with `_TABLE` it is the environment variable.
        key: partition key, a string.
        sort_key: name and type of the sort key.
        expires: whether items carry an expiry: contacts, journal entries, and the tombstones of rows made from tasks.
        secret: whether it holds credentials, so that reading it takes the right to use a KMS key as well.

    """

    name: str
    key: str
    sort_key: tuple[str, dynamodb.AttributeType] | None = None
    expires: bool = False
    secret: bool = False

    @property
    def construct_id(self) -> str:
        """The table's id in the construct tree, `LoadBalancerTargets`."""
        return self.name.title().replace("_", "")

    @property
    def environment_variable(self) -> str:
        """The environment variable that tells a process the table's name."""
        return f"{self.name.upper()}_TABLE"


LOAD_BALANCER_TARGETS = TableShape("load_balancer_targets", "dst_uri", expires=True)
ADDRESSES = TableShape("addresses", "source_ip")
SUBSCRIBERS = TableShape("subscribers", "username", secret=True)
DOMAINS = TableShape("domains", "domain", expires=True)
MEDIA_PROXIES = TableShape("media_proxies", "socket", expires=True)
REGISTRATIONS = TableShape("registrations", "username", ("contact_id", _STRING), expires=True)
ROUTING_CHANGES = TableShape("routing_changes", "table", ("seq", _NUMBER), expires=True)

SHAPES = (
    LOAD_BALANCER_TARGETS,
    ADDRESSES,
    SUBSCRIBERS,
    DOMAINS,
    MEDIA_PROXIES,
    REGISTRATIONS,
    ROUTING_CHANGES,
)


class RoutingTables(Construct):
    """The tables: on demand, with point-in-time recovery; kept and protected where data is worth it.

    They are DynamoDB global tables with one replica, so that a second region is a property to add and not a table to
    move.
    """

    def __init__(self, scope: Construct, construct_id: str, *, protect: bool) -> None:
        super().__init__(scope, construct_id)
        self._tables = {shape: self._table(shape, protect) for shape in SHAPES}

    def __getitem__(self, shape: TableShape) -> dynamodb.TableV2:
        return self._tables[shape]

    def environment(self) -> dict[str, str]:
        """Return the environment that tells a process the tables' names."""
        return {shape.environment_variable: table.table_name for shape, table in self._tables.items()}

    def _table(self, shape: TableShape, protect: bool) -> dynamodb.TableV2:
        return dynamodb.TableV2(
            self,
            shape.construct_id,
            partition_key=_attribute(shape.key, _STRING),
            sort_key=_attribute(*shape.sort_key) if shape.sort_key else None,
            billing=dynamodb.Billing.on_demand(),
            time_to_live_attribute=TTL_ATTRIBUTE if shape.expires else None,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            encryption=(
                dynamodb.TableEncryptionV2.aws_managed_key()
                if shape.secret
                else dynamodb.TableEncryptionV2.dynamo_owned_key()
            ),
            deletion_protection=protect,
            removal_policy=RemovalPolicy.RETAIN if protect else RemovalPolicy.DESTROY,
        )


def _attribute(name: str, kind: dynamodb.AttributeType) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=kind)
