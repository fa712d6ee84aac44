"""What the demo shows: real events in, changed tables out."""

import json
import time
from typing import Any

from local.errors import StepFailed
from local.mp3 import seconds_of
from local.speech import write_speech
from local.steps import Step, Waiting
from local.system import LocalSystem
from routing import Table
from routing.attribute_values import Value, encode
from tests.support.ecs_cluster import interface_ip
from tests.support.queue_events import DIGESTS, job

_RECORDING_SECONDS = 60
_DURATION_TOLERANCE = 0.25  # an MP3 is padded to whole frames of 72 ms, and by the encoder's delay
_CALLER = "175.100.7.240"
_CLIENT = "user1"


class Scenario:
    """The steps.

    Args:
        system: where they happen.
        waiting: how long each thing is waited for.

    """

    def __init__(self, system: LocalSystem, waiting: Waiting) -> None:
        self._system = system
        self._waiting = waiting
        self._switches: list[dict[str, Any]] = []

    def steps(self) -> list[Step]:
        """Return the steps in their order; each needs those before it."""
        return [
            *self.first_steps(),
            Step("A switch task starts", lambda: self._switch_starts(1)),
            Step("A second switch task starts", lambda: self._switch_starts(2)),
            Step("Its event comes again, and an old one late", self._events_repeat),
            Step("The first switch is told to stop", self._switch_stops),
            Step("A media proxy starts on an EC2 instance", self._media_proxy_starts),
            Step("A client gateway starts on another", self._client_gateway_starts),
            Step("A permission and credentials are created", self._jobs_create),
            Step("A registered client is to be called", self._dial_string),
            Step("Permission and credentials are deleted", self._jobs_delete),
            Step("A malformed message", self._malformed_message),
            Step("Rows and events got lost; the reconcile", self._reconcile),
            Step(f"A recording of {_RECORDING_SECONDS} s is uploaded", self._recording),
            Step("A broken recording is uploaded", self._broken_recording),
            Step("A gateway copies the tables whole", self._whole_copy),
        ]

    def first_steps(self) -> list[Step]:
        """Return the steps that everything else needs."""
        return [
            Step("Emulators and call platform start", self._start),
            Step("cdk deploy: data and services stacks", self._deploy),
            Step("A page shows the system, live", self._live_page),
        ]

    def _start(self) -> str:
        self._system.start()
        return f"AWS at {self._system.endpoint}, platform at {self._system.platform_url}"

    def _deploy(self) -> str:
        self._system.deploy()
        tables = len(self._system.dynamodb.list_tables()["TableNames"])
        functions = [self._system.outputs[name] for name in ("ServicesFunction", "S3MpegFunction")]
        return f"{tables} tables, {len(functions)} functions, queues, rules, a bucket"

    def _live_page(self) -> str:
        self._system.serve_live_page()
        return f"open {self._system.live_url} and watch"

    # --- tasks

    def _switch_starts(self, number: int) -> str:
        cluster = self._system.home_cluster
        if number == 1:
            cluster.add_instance()
        task = cluster.run("switch")
        self._switches.append(task)
        self._system.task_events.put(task, version=3)
        targets = self._await_targets(self._switches)
        self._await_capacity("hydrogen", number)
        return f"{', '.join(_targets(task))}: {len(targets)} targets; platform told: capacity {number}"

    def _events_repeat(self) -> str:
        before = self._system.reader.positions()
        switch = self._switches[-1]
        for version in (3, 2):
            self._system.task_events.put(switch, version=version)
        self._await_handled(switch, times=3)
        after = self._system.reader.positions()
        if after != before:
            raise StepFailed(f"the journal moved from {before} to {after}")
        return f"nothing written: the journal stands at {after[Table.LOAD_BALANCER_TARGETS]}"

    def _switch_stops(self) -> str:
        stopped = self._switches.pop(0)
        self._system.home_cluster.stop(stopped)
        self._system.task_events.put(stopped, version=4, last_status="DEACTIVATING", desired_status="STOPPED")
        left = self._await_targets(self._switches)
        self._await_capacity("hydrogen", 1)
        return f"{_ip(stopped)} is gone, {len(left)} targets left; platform told: capacity 1"

    def _media_proxy_starts(self) -> str:
        cluster = self._system.home_cluster
        task = cluster.run("media-proxy", on=cluster.add_instance())
        self._system.task_events.put(task, version=3)
        return self._await_keys(Table.MEDIA_PROXIES, 1)

    def _client_gateway_starts(self) -> str:
        cluster = self._system.home_cluster
        task = cluster.run("client-gateway", on=cluster.add_instance(public=True))
        self._system.task_events.put(task, version=3)
        return self._await_keys(Table.DOMAINS, 2)

    # --- jobs

    def _jobs_create(self) -> str:
        self._send(job("CreateOpenSIPSPermissionJob", _CALLER, {"group_id": 1}))
        self._send(job("CreateOpenSIPSSubscriberJob", {"username": _CLIENT, **DIGESTS}))
        seen = self._await_keys(Table.ADDRESSES, 1), self._await_keys(Table.SUBSCRIBERS, 1)
        others = [table for table in Table if table is not Table.SUBSCRIBERS]
        if any(digest in str(self._items(table)) for digest in DIGESTS.values() for table in others):
            raise StepFailed("a digest is in a table that is not subscribers")
        return f"{' and '.join(seen)}; digests in no other table"

    def _jobs_delete(self) -> str:
        self._send(job("DeleteOpenSIPSPermissionJob", _CALLER))
        self._send(job("DeleteOpenSIPSSubscriberJob", {"username": _CLIENT}))
        self._await_keys(Table.ADDRESSES, 0)
        self._await_keys(Table.SUBSCRIBERS, 0)
        return "both rows are gone"

    def _malformed_message(self) -> str:
        self._send('{"job_class": "CreateOpenSIPSPermissionJob"')
        queue = self._system.outputs["DeadLetterQueueUrl"]
        (body,) = self._waiting.until("the dead letter", lambda: self._system.messages_in(queue), bool)
        return f"retried, then in the dead-letter queue: {body}"

    def _dial_string(self) -> str:
        now = int(time.time())
        contact = {"contact": "sip:user1@192.168.1.75:5060", "received": "sip:45.118.77.153:1619"}
        row: dict[str, Value] = {"username": _CLIENT, "contact_id": "demo", "socket": "udp:10.10.0.20:6060", **contact}
        times: dict[str, Value] = {"gateway": "demo", "user_agent": "demo", "last_modified": now, "expires": now + 600}
        name = self._system.table_names[Table.REGISTRATIONS]
        self._system.dynamodb.put_item(TableName=name, Item=encode({**row, **times}))
        parameters = {"client_identifier": _CLIENT, "destination": "016701722"}
        answer = self._invoke({"serviceAction": "BuildClientGatewayDialString", "parameters": parameters})
        if answer != {"destination_address": "016701722@45.118.77.153:1619", "proxy_address": "10.10.0.20:6060"}:
            raise StepFailed(f"the dial string is {answer}")
        return f"{answer['destination_address']} through {answer['proxy_address']}"

    # --- reconcile

    def _reconcile(self) -> str:
        abroad = self._system.second_cluster
        abroad.add_instance()
        lost_event = abroad.run("switch")
        lost_row = _targets(self._switches[0])[0]
        name = self._system.table_names[Table.LOAD_BALANCER_TARGETS]
        self._system.dynamodb.delete_item(TableName=name, Key={"dst_uri": {"S": lost_row}})
        self._invoke({"source": "aws.events", "detail-type": "Scheduled Event"})
        self._await_targets([*self._switches, lost_event])
        self._await_capacity("helium", 1)
        return f"{lost_row} is back, {_ip(lost_event)} of us-east-1 is found; platform told: capacity 1 there"

    # --- recordings

    def _recording(self) -> str:
        wav, mp3 = self._system.scratch("call.wav"), self._system.scratch("call.mp3")
        write_speech(wav, _RECORDING_SECONDS)
        self._system.s3.upload_file(str(wav), self._system.bucket, "calls/2026 03/call.wav")
        self._await_object("calls/2026 03/call.mp3")
        self._system.s3.download_file(self._system.bucket, "calls/2026 03/call.mp3", str(mp3))
        seconds = seconds_of(mp3)
        if abs(seconds - _RECORDING_SECONDS) > _DURATION_TOLERANCE:
            raise StepFailed(f"the MP3 plays {seconds:.2f} seconds")
        sizes = wav.stat().st_size // 1024, mp3.stat().st_size // 1024
        return f"MP3 of {seconds:.2f} s, {sizes[1]} KiB from {sizes[0]} KiB"

    def _broken_recording(self) -> str:
        self._system.s3.put_object(Bucket=self._system.bucket, Key="calls/broken.wav", Body=b"no recording at all")
        queue = self._system.outputs["S3MpegFailuresQueueUrl"]
        (body,) = self._waiting.until("the failed event", lambda: self._system.messages_in(queue), bool)
        if "calls/broken.wav" not in body:
            raise StepFailed(f"the failed event does not name the object: {body}")
        left = [item["Key"] for item in self._objects("calls/broken")]
        if left != ["calls/broken.wav"]:
            raise StepFailed(f"in the bucket lie {left}")
        return "its event is in the failures queue; the original stays, no MP3"

    # --- reading

    def _whole_copy(self) -> str:
        seen = []
        for table in (Table.LOAD_BALANCER_TARGETS, Table.DOMAINS, Table.MEDIA_PROXIES, Table.ADDRESSES):
            snapshot = self._system.reader.snapshot(table)
            seen.append(f"{table.value} {len(snapshot.records)} at change {snapshot.position}")
        return "; ".join(seen)

    # --- what the steps share

    def _send(self, body: str) -> None:
        self._system.sqs.send_message(QueueUrl=self._system.outputs["QueueUrl"], MessageBody=body)

    def _invoke(self, event: dict[str, Any]) -> Any:
        answer = self._system.functions.invoke(
            FunctionName=self._system.outputs["ServicesFunction"], Payload=json.dumps(event).encode()
        )
        payload = json.loads(answer["Payload"].read() or b"null")
        if "FunctionError" in answer:
            raise StepFailed(f"the services function failed: {payload}")
        return payload

    def _await_targets(self, switches: list[dict[str, Any]]) -> list[str]:
        wanted = sorted(target for switch in switches for target in _targets(switch))
        return self._waiting.until(
            f"the targets {wanted}", lambda: self._system.keys(Table.LOAD_BALANCER_TARGETS), lambda keys: keys == wanted
        )

    def _await_keys(self, table: Table, count: int) -> str:
        keys = self._waiting.until(
            f"{count} rows in {table.value}", lambda: self._system.keys(table), lambda keys: len(keys) == count
        )
        return ", ".join(keys)

    def _await_capacity(self, region: str, capacity: int) -> None:
        self._waiting.until(
            f"the platform to be told {region} {capacity}",
            self._system.capacities,
            lambda told: told.get(region) == capacity,
        )

    def _await_handled(self, task: dict[str, Any], times: int) -> None:
        function = self._system.outputs["ServicesFunction"]

        def handled() -> int:
            lines = self._system.log_of(function, lines=1_000)
            return sum("task state handled" in line and task["taskArn"] in line for line in lines)

        self._waiting.until(f"{times} events of the task to be handled", handled, lambda count: count >= times)

    def _await_object(self, key: str) -> None:
        self._waiting.until(f"the object {key}", lambda: [item["Key"] for item in self._objects(key)], bool)

    def _objects(self, prefix: str) -> list[Any]:
        answer = self._system.s3.list_objects_v2(Bucket=self._system.bucket, Prefix=prefix)
        return list(answer.get("Contents", []))

    def _items(self, table: Table) -> list[Any]:
        return self._system.dynamodb.scan(TableName=self._system.table_names[table])["Items"]


def _ip(task: dict[str, Any]) -> str:
    return interface_ip(task)


def _targets(task: dict[str, Any]) -> list[str]:
    return [f"sip:{_ip(task)}:{port}" for port in (5060, 5080)]
