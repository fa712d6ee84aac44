"""What the ARN of an ECS task says."""


def region_of(task_arn: str) -> str | None:
    """Return the region: `arn:partition:ecs:region:account:task/cluster/id`; None when it is no ARN."""
    parts = task_arn.split(":")
    return parts[3] if len(parts) > 5 and parts[3] else None


def cluster_of(task_arn: str) -> str | None:
    """Return the cluster's name; the short form, of accounts that never opted in, has none."""
    parts = task_arn.split("/")
    return parts[1] if len(parts) == 3 else None


def identifier_of(task_arn: str) -> str:
    """Return what people call the task by: the last part."""
    return task_arn.rsplit("/", 1)[-1]
