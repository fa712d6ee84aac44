"""The control plane's functions, and the events that they run on."""

from aws_cdk import ArnFormat, Duration, Environment, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk.bundling import Bundler
from cdk.constructs.alarms import Alarms
from cdk.constructs.dead_letters import DeadLetters
from cdk.constructs.event_function import EventFunction, function_name, lambda_architecture, lambda_runtime
from cdk.constructs.operator_access import OperatorAccess
from cdk.constructs.published import Published
from cdk.constructs.recording_events import RecordingEvents
from cdk.constructs.region_data import region_data
from cdk.constructs.services_access import grant_services_access
from cdk.constructs.task_state_changes import task_state_changes
from cdk.data_stack import DataStack
from cdk.runbooks import Runbook
from cdk.settings import Settings


def services_function_arn(scope: Construct, settings: Settings) -> str:
    """Return the ARN of the services function, by its name: switches of other regions ask it, too."""
    return Stack.of(scope).format_arn(
        service="lambda",
        region=settings.home_region,
        resource="function",
        resource_name=function_name(settings, "services"),
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )


class ServicesStack(Stack):
    """The stateless half of the control plane: it can be deleted and deployed again without loss.

    Attributes:
        alarms: the home region's topic of alarms.
        queue: where the platform sends its jobs.
        dead_letters: where those end that failed again and again.
        services: the services function.
        s3_mpeg: the S3 MPEG function.

    """

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, data: DataStack, bundler: Bundler
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            env=Environment(region=settings.home_region),
            description=f"SomlengSWITCH ({settings.environment}): the control plane's functions and events",
        )
        self._settings = settings
        self._bundler = bundler
        self.alarms = Alarms(self, "Alarms", email=settings.alarm_email)

        self.dead_letters = DeadLetters(
            self,
            "DeadLetters",
            alarms=self.alarms,
            what="Messages of the services queue",
            runbook=Runbook.DEAD_LETTERS,
        ).queue
        self.queue = queue = self._queue(self.dead_letters)
        self.services = services = self._services(data, queue)
        grant_services_access(services.function, settings=settings, tables=data.tables, queue=queue)
        self._consume(queue, services.function)
        self._follow_tasks(services)
        self._reconcile(services)

        self.s3_mpeg = s3_mpeg = self._s3_mpeg()
        RecordingEvents(self, "RecordingEvents", bucket_arn=data.recordings_arn, function=s3_mpeg.function)

        operators = OperatorAccess(
            self,
            "Operators",
            settings=settings,
            tables=data.tables,
            jobs=queue,
            dead_letters=self.dead_letters,
            functions=[services, s3_mpeg],
        )

        published = Published(self, "Published", settings=settings)
        published.parameter("queue_url", queue.queue_url)
        published.parameter("dead_letter_queue_url", self.dead_letters.queue_url)
        published.parameter("services_function_arn", services.function.function_arn)
        published.parameter("services_failures_queue_url", services.failures.queue_url)
        published.parameter("s3_mpeg_function_arn", s3_mpeg.function.function_arn)
        published.parameter("s3_mpeg_failures_queue_url", s3_mpeg.failures.queue_url)
        published.output("QueueUrl", queue.queue_url, "Where the platform sends its jobs")
        published.output("DeadLetterQueueUrl", self.dead_letters.queue_url, "Jobs that failed again and again")
        published.output("ServicesFunction", services.function.function_name, "Function that keeps the routing tables")
        published.output("ServicesFailuresQueueUrl", services.failures.queue_url, "Events that services failed on")
        published.output("S3MpegFunction", s3_mpeg.function.function_name, "Function that turns WAV into MP3")
        published.output("S3MpegFailuresQueueUrl", s3_mpeg.failures.queue_url, "Recordings that could not be converted")
        published.output(
            "OperatorReadPolicy", operators.read.managed_policy_arn, "For whoever looks at this deployment"
        )
        published.output("OperatorWritePolicy", operators.write.managed_policy_arn, "Beside it, for whoever changes it")
        published.output("AlarmTopicArn", self.alarms.topic.topic_arn, "Where alarms are told")

    def _queue(self, dead_letters: sqs.Queue) -> sqs.Queue:
        limits = self._settings.queue
        queue = sqs.Queue(
            self,
            "Queue",
            visibility_timeout=Duration.seconds(limits.visibility_seconds),
            retention_period=Duration.days(14),
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead_letters, max_receive_count=limits.max_receives),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
        )
        self.alarms.add(
            "QueueAge",
            queue.metric_approximate_age_of_oldest_message(period=Duration.minutes(1), statistic="Maximum"),
            threshold=limits.max_age_seconds,
            meaning="The platform's jobs wait too long in the services queue",
            runbook=Runbook.SERVICES,
        )
        return queue

    def _services(self, data: DataStack, queue: sqs.Queue) -> EventFunction:
        settings = self._settings
        return EventFunction(
            self,
            "Services",
            settings=settings,
            alarms=self.alarms,
            runbook=Runbook.RECONCILE,
            target=self._bundler.target,
            name="services",
            bundle=self._bundler.function("services"),
            layers=[self._layer("Routing", "routing", "The routing tables: records, repository, change journal")],
            size=settings.services,
            environment={
                "SWITCH_GROUP": f"service:{settings.ecs.switch_service}",
                "MEDIA_PROXY_GROUP": f"service:{settings.ecs.media_proxy_service}",
                "CLIENT_GATEWAY_GROUP": f"service:{settings.ecs.client_gateway_service}",
                "ECS_CLUSTERS": ",".join(settings.ecs.cluster_names),
                "FS_SIP_PORT": str(settings.switch.sip_port),
                "FS_SIP_ALTERNATIVE_PORT": str(settings.switch.sip_alternative_port),
                "FS_EVENT_SOCKET_PORT": str(settings.switch.event_socket_port),
                "MEDIA_PROXY_NG_PORT": str(settings.media_proxy.ng_port),
                "REGION_DATA": region_data(settings),
                "QUEUE_URL": queue.queue_url,
                "CALL_PLATFORM_HOST": settings.call_platform.host,
                "CALL_PLATFORM_USERNAME": settings.call_platform.username,
                "CALL_PLATFORM_PASSWORD_PARAMETER": settings.call_platform.password_parameter,
                **data.tables.environment(),
            },
        )

    def _s3_mpeg(self) -> EventFunction:
        settings = self._settings
        return EventFunction(
            self,
            "S3Mpeg",
            settings=settings,
            alarms=self.alarms,
            runbook=Runbook.RECORDINGS,
            target=self._bundler.target,
            name="s3_mpeg",
            bundle=self._bundler.function("s3_mpeg"),
            layers=[self._layer("Ffmpeg", "ffmpeg", "A static ffmpeg")],
            size=settings.s3_mpeg,
            environment={"CONVERT_TO_EXTENSION": ".mp3", "MP3_BIT_RATE": settings.mp3_bit_rate},
        )

    def _layer(self, construct_id: str, name: str, description: str) -> lambda_.LayerVersion:
        target = self._bundler.target
        return lambda_.LayerVersion(
            self,
            f"{construct_id}Layer",
            code=lambda_.Code.from_asset(str(self._bundler.layer(name))),
            compatible_runtimes=[lambda_runtime(target)],
            compatible_architectures=[lambda_architecture(target)],
            description=description,
        )

    def _consume(self, queue: sqs.Queue, function: lambda_.Function) -> None:
        function.add_event_source(
            event_sources.SqsEventSource(
                queue,
                batch_size=self._settings.queue.batch_size,
                max_concurrency=self._settings.queue.max_concurrency,
                report_batch_item_failures=True,
            )
        )

    def _follow_tasks(self, services: EventFunction) -> None:
        events.Rule(
            self,
            "TaskStateChanges",
            description="Tasks of the switch, the media proxy and the client gateway start and stop",
            event_pattern=task_state_changes(self._settings),
            targets=[self._target(services)],
        )

    def _reconcile(self, services: EventFunction) -> None:
        events.Rule(
            self,
            "Reconcile",
            description="Compare the routing tables with what ECS runs",
            schedule=events.Schedule.rate(Duration.minutes(self._settings.reconcile_interval_minutes)),
            targets=[self._target(services)],
        )

    def _target(self, services: EventFunction) -> targets.LambdaFunction:
        # Retries and the queue here are for an event that EventBridge cannot hand to Lambda at all; what the function
        # does with one that it was handed is Lambda's own retry.
        return targets.LambdaFunction(
            services.function,
            retry_attempts=185,
            max_event_age=Duration.seconds(self._settings.events.max_age_seconds),
            dead_letter_queue=services.failures,
        )
