"""A missing or wrong setting is refused by name."""

from pathlib import Path

import pytest

from opensips_scheduler.errors import InvalidSetting
from opensips_scheduler.settings import Kind, ScheduledCommand, Settings
from routing.errors import MissingSetting
from tests.fakes.instance_metadata import instance_metadata
from tests.support.routing_tables import ENVIRONMENT

COMPLETE = {
    **ENVIRONMENT,
    "GATEWAY_KIND": "client",
    "FS_EVENT_SOCKET_PASSWORD": "ClueCon",
    "SIP_ADVERTISED_ADDRESS": "203.0.113.7",
    "SIP_LISTEN_ADDRESS": "10.0.0.5",
}


def test_what_is_not_said_has_a_default() -> None:
    settings = Settings.from_environment(COMPLETE)
    assert (settings.kind, settings.gateway, settings.socket) == (Kind.CLIENT, "203.0.113.7", "udp:10.0.0.5:5060")
    assert (settings.state_directory, settings.poll_interval) == (Path("/var/lib/opensips"), 0.5)
    assert settings.commands == ()


def test_a_gateway_that_asks_ec2_for_its_address_is_named_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asking = {**COMPLETE, "SIP_ADVERTISED_ADDRESS": "instance-metadata"}
    with instance_metadata("127.0.0.1", "198.51.100.9") as url:
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", url)
        assert Settings.from_environment(asking).gateway == "198.51.100.9"
    assert Settings.from_environment({**asking, "GATEWAY_NAME": "a"}).gateway == "a"
    with instance_metadata("127.0.0.1", None) as url:
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", url)
        with pytest.raises(InvalidSetting, match="SIP_ADVERTISED_ADDRESS is instance-metadata"):
            Settings.from_environment(asking)


def test_the_address_that_opensips_listens_at_is_found_where_it_is_not_said() -> None:
    unsaid = {name: value for name, value in COMPLETE.items() if name != "SIP_LISTEN_ADDRESS"}
    assert Settings.from_environment(unsaid, local_address=lambda: "10.0.0.6").socket == "udp:10.0.0.6:5060"


def test_commands_are_read() -> None:
    value = '[{"method": "cache_remove", "parameters": {"key": "x"}, "interval": 30}]'
    settings = Settings.from_environment({**COMPLETE, "MI_COMMANDS": value})
    assert settings.commands == (ScheduledCommand("cache_remove", {"key": "x"}, 30.0),)


def test_a_public_gateway_needs_only_its_own_tables() -> None:
    kept = {name: value for name, value in COMPLETE.items() if not name.startswith(("SUBSCRIBERS", "REGISTRATIONS"))}
    assert Settings.from_environment({**kept, "GATEWAY_KIND": "public"}).kind is Kind.PUBLIC
    with pytest.raises(MissingSetting, match="SUBSCRIBERS_TABLE"):
        Settings.from_environment(kept)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GATEWAY_KIND", "both"),
        ("FS_EVENT_SOCKET_PASSWORD", ""),
        ("SIP_ADVERTISED_ADDRESS", ""),
        ("SIP_PORT", "0"),
        ("POLL_INTERVAL", "soon"),
        ("POLL_INTERVAL", "nan"),
        ("COMPARISON_INTERVAL", "0"),
        ("HEALTH_PORT", "70000"),
        ("MI_COMMANDS", "lb_reload"),
        ("MI_COMMANDS", '[{"method": "lb_reload"}]'),
        ("MI_COMMANDS", '[{"method": "lb_reload", "interval": 0}]'),
        ("MI_COMMANDS", "7"),
    ],
)
def test_what_is_wrong_is_named(name: str, value: str) -> None:
    with pytest.raises(InvalidSetting, match=name):
        Settings.from_environment({**COMPLETE, name: value})
