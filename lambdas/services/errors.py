"""What can go wrong in the services function. Each message names what came and why it cannot be answered."""


class ServicesError(Exception):
    """Base of every error of this package."""


class InvalidSetting(ServicesError):
    """An environment variable is missing or is not what it must be."""


class UnknownEvent(ServicesError):
    """The function was invoked with something that is none of the events it answers."""


class InvalidEvent(ServicesError):
    """An event of a known kind lacks something or holds something that it must not."""


class InvalidJob(ServicesError):
    """A message in the queue is not a job that can be done as it stands."""


class UnknownJobClass(InvalidJob):
    """A message names a job class that is not on the list."""


class UnknownServiceAction(ServicesError):
    """An invocation names a service action that is not on the list."""


class UnknownRegion(ServicesError):
    """A region that REGION_DATA does not list."""


class AddressNotFound(ServicesError):
    """ECS or EC2 no longer knows the instance that a task runs on, or it has no address."""


class CallPlatformError(ServicesError):
    """The call platform could not be reached or did not answer with 2xx."""


class OutOfTime(ServicesError):
    """The invocation would have ended in the middle of the work; it was not begun."""


class DeploymentUnanswered(ServicesError):
    """A deployment waits for an answer that could not be left where it looks for it."""


class ReconcileFailed(ServicesError):
    """Some regions could not be reconciled; the others were."""
