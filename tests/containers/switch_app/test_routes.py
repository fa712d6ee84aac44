"""Legs by the platform's routing parameters, and what may be in an address."""

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st

from switch_app.call import Leg
from switch_app.call_properties import RoutingParameters
from switch_app.client_gateways import ClientGateways
from switch_app.errors import PlatformRefused, PlatformUnavailable
from switch_app.routes import PlatformRoutes
from switch_app.sip_addresses import is_address, is_host_port
from tests.fakes.services_function import ServicesFunction

ARN = "arn:aws:lambda:ap-southeast-1:123456789012:function:switch-services"
HOST = "sip.example.com"


@pytest.fixture
def function() -> Iterator[ServicesFunction]:
    with ServicesFunction() as running:
        yield running


@pytest.fixture
async def routes(aws_environment: None, function: ServicesFunction) -> AsyncIterator[PlatformRoutes]:
    client = boto3.client(
        "lambda",
        region_name="ap-southeast-1",
        endpoint_url=function.url,
        config=Config(retries={"total_max_attempts": 1}),
    )
    gateways = ClientGateways(client, ARN)
    yield PlatformRoutes(gateways)
    await gateways.close()


async def leg(routes: PlatformRoutes, sender: str = "2442", **routing: Any) -> Leg:
    parameters = RoutingParameters(**{"destination": "855716100987", "host": HOST, **routing})
    return await routes.leg(parameters, "call-sid", sender, account_sid="account", carrier_sid="carrier")


@pytest.mark.parametrize(
    ("routing", "address"),
    [
        ({}, "855716100987@sip.example.com"),  # APP-97, APP-100
        ({"address": "1234@192.168.1.1"}, "1234@192.168.1.1"),  # APP-99
        ({"address": "alice@sip.example.com", "destination": "sip:alice@sip.example.com"}, "alice@sip.example.com"),
        ({"address": "sip:alice@sip.example.com"}, "alice@sip.example.com"),
        ({"address": "alice@sip.example.com;transport=tcp"}, "alice@sip.example.com;transport=tcp"),
        ({"dial_string_prefix": "1234", "plus_prefix": True}, "+1234855716100987@sip.example.com"),  # APP-101
        ({"national_dialing": True}, "0716100987@sip.example.com"),  # APP-102
        ({"national_dialing": True, "destination": "16505130514"}, "6505130514@sip.example.com"),  # APP-103
        ({"host": "27.109.112.141:5070"}, "855716100987@27.109.112.141:5070"),
        ({"destination": "1393", "plus_prefix": True}, "+1393@sip.example.com"),
    ],
)
async def test_a_number_is_dialled_as_its_trunk_wants_it(
    routes: PlatformRoutes, routing: dict[str, Any], address: str
) -> None:
    made = await leg(routes, **routing)
    assert (made.address, made.profile, made.proxy) == (address, "nat_gateway", None)


async def test_a_leg_carries_the_calls_sid_and_nothing_else_of_it(routes: PlatformRoutes) -> None:
    """APP-56, APP-110: a carrier sees one header."""
    made = await leg(routes)
    assert made.headers == {"X-Somleng-CallSid": "call-sid"}
    assert (made.call_sid, made.caller_id) == ("call-sid", "2442")
    assert re.fullmatch(r"[0-9a-f-]{36}", made.uuid)
    assert made.uuid != (await leg(routes)).uuid


@pytest.mark.parametrize(
    ("sender", "routing", "caller_id"),
    [
        ("85523238265", {"national_dialing": True}, "023238265"),  # APP-64, APP-111
        ("+855715100678", {}, "855715100678"),  # APP-56
        ("+855715100678", {"plus_prefix": True}, "+855715100678"),
        ("1393", {"plus_prefix": True}, "1393"),
        ("anonymous", {}, "anonymous"),
        ("a,b{c}", {}, "anonymous"),
    ],
)
async def test_the_caller_is_shown_as_the_trunk_wants_it(
    routes: PlatformRoutes, sender: str, routing: dict[str, Any], caller_id: str
) -> None:
    assert (await leg(routes, sender, **routing)).caller_id == caller_id


async def test_a_profile_is_one_of_those_that_there_are(routes: PlatformRoutes) -> None:
    """APP-58, APP-105, APP-112."""
    assert (await leg(routes, sip_profile="test")).profile == "test"
    with pytest.raises(PlatformRefused, match="there is no SIP profile 'internal'"):
        await leg(routes, sip_profile="internal")


async def test_a_registered_client_is_called_through_its_gateway(
    routes: PlatformRoutes, function: ServicesFunction
) -> None:
    """APP-104, APP-114: the function is asked with the national number, and the prefix comes before its answer."""
    function.contacts["user1"] = ("45.118.77.153:1619", "10.10.0.20:6060")
    made = await leg(
        routes, username="user1", dial_string_prefix="1", national_dialing=True, destination="8562092960310", host=None
    )
    assert made.address == "102092960310@45.118.77.153:1619"
    assert made.proxy == "10.10.0.20:6060"
    assert function.invocations == [
        (
            ARN,
            {
                "serviceAction": "BuildClientGatewayDialString",
                "parameters": {"client_identifier": "user1", "destination": "02092960310"},
            },
        )
    ]


async def test_a_clients_number_may_have_a_plus(routes: PlatformRoutes, function: ServicesFunction) -> None:
    """APP-113."""
    function.contacts["user1"] = ("45.118.77.153:1619", "10.10.0.20:6060")
    made = await leg(routes, username="user1", plus_prefix=True, destination="85516701721", host=None)
    assert made.address == "+85516701721@45.118.77.153:1619"


async def test_a_client_that_is_not_registered_cannot_be_called(routes: PlatformRoutes) -> None:
    """X-15."""
    with pytest.raises(PlatformRefused, match="the client 'user1' is not registered"):
        await leg(routes, username="user1", plus_prefix=True, host=None)


@pytest.mark.parametrize("mode", ["error", "function_error", "nonsense"])
async def test_a_function_that_fails_leaves_the_question_open(
    routes: PlatformRoutes, function: ServicesFunction, mode: str
) -> None:
    function.mode = mode
    with pytest.raises(PlatformUnavailable, match="the services function does not answer"):
        await leg(routes, username="user1", host=None)


@pytest.mark.parametrize(
    "routing",
    [
        {"host": None},
        {"host": "a b"},
        {"host": "host,sofia/internal/other@host"},
        {"host": "host;fs_path=sip:10.0.0.1"},
        {"host": "host:99999"},
        {"host": "[::1]"},
        {"address": "alice@host,error/USER_BUSY"},
        {"address": "{origination_uuid=1}alice@host"},
        {"address": "alice@host;fs_path=sip:evil"},
        {"address": "alice@host\n"},
        {"address": "alice|bob@host"},
        {"address": "'alice'@host"},
        {"address": "alice"},
        {"destination": "nobody", "address": None},
    ],
)
async def test_what_would_mean_more_than_an_address_is_refused(routes: PlatformRoutes, routing: dict[str, Any]) -> None:
    with pytest.raises(PlatformRefused, match="no address that can be dialled"):
        await leg(routes, **routing)


async def test_a_functions_answer_is_not_trusted_either(routes: PlatformRoutes, function: ServicesFunction) -> None:
    function.contacts["user1"] = ("45.118.77.153:1619", "10.10.0.20;x=y")
    with pytest.raises(PlatformRefused, match="no proxy"):
        await leg(routes, username="user1", host=None)


@given(st.text(max_size=60))
def test_no_address_has_a_character_of_the_dial_strings_grammar(text: str) -> None:
    for candidate in (text, f"user@{text}", f"{text}@host"):
        if is_address(candidate) or is_host_port(candidate):
            assert not set(candidate.replace(";transport=", "")) & set(",;{}[]<>|^'\"`$\\&/:()= \t\r\n") - {":"}
