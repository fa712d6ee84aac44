"""Says how to poke at a system that goes on running."""

import shlex

from rich.console import Console

from local.system import LocalSystem
from local.voice.facts import NAME
from local.voice.softphone import Softphone
from local.voice.system import VoiceSystem

_MADE_NUMBER = "1234"


def show(system: LocalSystem, voice: VoiceSystem | None, console: Console) -> None:
    """Print commands to try."""
    function, queue = system.outputs["ServicesFunction"], system.outputs["QueueUrl"]
    exports = " ".join(f"{name}={shlex.quote(value)}" for name, value in sorted(system.environment.items()))
    invoke = f"aws lambda invoke --function-name {function} --cli-binary-format raw-in-base64-out"
    permission = shlex.quote('{"job_class": "CreateOpenSIPSPermissionJob", "job_args": ["10.1.2.3", {"group_id": 1}]}')
    domain = shlex.quote('{"serviceAction": "CreateDomain", "parameters": {"domain": "sip.example.org"}}')
    console.print("\nEverything goes on running. Any AWS client of a shell talks to it after\n")
    for text in (
        f"export {exports}",
        "",
        "# the system as it runs, in a browser",
        system.live_url,
        "# what the platform was told",
        f"curl {system.platform_url}/capacities",
        "# the AWS command-line tool, if it is installed",
        f"aws sqs send-message --queue-url {queue} --message-body {permission}",
        f"{invoke} --payload {domain} /dev/stdout",
        f"aws s3 cp a.wav s3://{system.bucket}/a.wav",
        *(f"aws dynamodb scan --table-name {name}  # {table.value}" for table, name in system.table_names.names),
        *(_of_calls(voice) if voice else ()),
        "",
        f"# logs are in {system.run.path}; to end it: Ctrl-C, or from elsewhere",
        "make stop",
    ):
        console.print(f"  {text}" if text else "", markup=False, soft_wrap=True)


def show_softphone(system: LocalSystem, voice: VoiceSystem, softphone: Softphone, console: Console) -> None:
    """Print what a softphone is told, and where to look."""
    exports = " ".join(f"{name}={shlex.quote(value)}" for name, value in sorted(system.environment.items()))
    reach = "any that reaches this machine" if softphone.address else "on this machine"
    for text in (
        "",
        f"Register your softphone, {reach}, with these values:",
        "",
        f"    user name   {softphone.username}",
        f"    password    {softphone.password}",
        f"    domain      {voice.client_gateway.address}, port 5060, UDP or TCP",
        "",
        f"and call {softphone.number}. Your document is {voice.own_documents / 'voice.xml'}: write it,",
        "change it, and the next call runs it. Without one the customer's server has its own.",
        "",
        f"    live page   {system.live_url}",
        f"    documents   {voice.customer.url}/",
        f"    platform    {system.platform_url}/desk/told/calls",
        f"    switch      {voice.switches[0].url}",
        f"    logs        {system.run.path}",
        "",
        "For the operator's command line, in another shell:",
        "",
        f"    export {exports}",
        "",
        "To end it: Ctrl-C, or from elsewhere `make stop`.",
    ):
        console.print(text, markup=False, soft_wrap=True)


def _of_calls(voice: VoiceSystem) -> list[str]:
    number = shlex.quote(f'{{"voice_url": "{voice.customer.url}/mine.xml", "voice_method": "POST"}}')
    desk = f"{voice.system.platform_url}/desk"
    return [
        "",
        f"# calls: client gateway at {voice.client_gateway.address}, public gateway at {voice.public_gateway.address};",
        f"# client user1, password 'password'; your documents go to {voice.customer.directory}",
        f"curl -X PUT -H 'Content-Type: application/json' -d {number} {desk}/numbers/{_MADE_NUMBER}",
        f"curl {desk}/told/calls",
        f"# where everything is: {voice.system.run.path / NAME}",
    ]
