"""The environment that the services function runs in."""

import json

from tests.support.routing_tables import ENVIRONMENT as TABLES

REGION_DATA = [
    {
        "identifier": "ap-southeast-1",
        "alias": "hydrogen",
        "group_id": 1,
        "human_name": "South East Asia (Singapore)",
        "nat_ip": "13.250.230.15",
    },
    {
        "identifier": "us-east-1",
        "alias": "helium",
        "group_id": 2,
        "human_name": "North America (N. Virginia, USA)",
        "nat_ip": "52.4.242.134",
    },
]
PASSWORD_PARAMETER = "somleng.test.services_password"
OPTIONAL = ("ECS_CLUSTERS", "FS_SIP_PORT", "FS_SIP_ALTERNATIVE_PORT", "FS_EVENT_SOCKET_PORT", "MEDIA_PROXY_NG_PORT")
"""Variables that have defaults."""

AWS = {
    "AWS_DEFAULT_REGION": "ap-southeast-1",
    "AWS_REGION": "ap-southeast-1",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
}
"""What every AWS client looks at: a region, and credentials that no real account takes."""


def services_environment(
    queue_url: str, call_platform_host: str = "http://127.0.0.1:9", username: str = "services"
) -> dict[str, str]:
    """Return every variable that the function needs; nothing answers at the default host, the discard port."""
    return {
        **TABLES,
        "SWITCH_GROUP": "service:switch",
        "MEDIA_PROXY_GROUP": "service:media-proxy",
        "CLIENT_GATEWAY_GROUP": "service:client-gateway",
        "REGION_DATA": json.dumps(REGION_DATA),
        "QUEUE_URL": queue_url,
        "CALL_PLATFORM_HOST": call_platform_host,
        "CALL_PLATFORM_USERNAME": username,
        "CALL_PLATFORM_PASSWORD_PARAMETER": PASSWORD_PARAMETER,
    }
