"""Builds ECS task state change events, as EventBridge delivers them."""

from typing import Any

ACCOUNT = "123456789012"
STARTED_AT = "2026-03-07T10:00:00.000Z"


def task_arn(name: str, region: str = "ap-southeast-1", cluster: str = "somleng-switch") -> str:
    return f"arn:aws:ecs:{region}:{ACCOUNT}:task/{cluster}/{name}"


def network_interface(ip: str | None, status: str = "ATTACHED") -> dict[str, Any]:
    details = [{"name": "subnetId", "value": "subnet-0a"}]
    if ip is not None:
        details.append({"name": "privateIPv4Address", "value": ip})
    return {"id": "1", "type": "eni", "status": status, "details": details}


def task_event(
    name: str = "a",
    *,
    group: str = "service:switch",
    last_status: str = "RUNNING",
    desired_status: str | None = None,
    version: int = 3,
    ip: str | None = "10.1.1.100",
    interface_status: str = "ATTACHED",
    region: str = "ap-southeast-1",
    cluster: str = "somleng-switch",
    container_instance: str | None = None,
    started_at: str | None = STARTED_AT,
) -> dict[str, Any]:
    """Return an event; with `ip` None the task has no interface of its own."""
    detail: dict[str, Any] = {
        "attachments": [] if ip is None else [network_interface(ip, interface_status)],
        "clusterArn": f"arn:aws:ecs:{region}:{ACCOUNT}:cluster/{cluster}",
        "createdAt": "2026-03-07T09:59:30.000Z",
        "desiredStatus": desired_status or ("STOPPED" if last_status == "STOPPED" else "RUNNING"),
        "group": group,
        "lastStatus": last_status,
        "launchType": "EC2",
        "taskArn": task_arn(name, region, cluster),
        "taskDefinitionArn": f"arn:aws:ecs:{region}:{ACCOUNT}:task-definition/switch:7",
        "updatedAt": "2026-03-07T10:00:01.000Z",
        "version": version,
    }
    if started_at is not None:
        detail["startedAt"] = started_at
    if container_instance is not None:
        detail["containerInstanceArn"] = container_instance
    return {
        "version": "0",
        "id": "3317b2af-7005-947d-b652-f55e762e571a",
        "detail-type": "ECS Task State Change",
        "source": "aws.ecs",
        "account": ACCOUNT,
        "time": "2026-03-07T10:00:01Z",
        "region": region,
        "resources": [detail["taskArn"]],
        "detail": detail,
    }
