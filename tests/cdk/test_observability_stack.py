"""Dashboards and alarms: made of what there is, told where somebody hears it, with a page that says what to do."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from cdk.application import ROOT
from cdk.observability.log_queries import QUERIES
from cdk.runbooks import Runbook
from opensips_scheduler.settings import Kind
from tests.cdk.conftest import Template, Templates
from tests.cdk.ecs_templates import containers, environment
from tests.cdk.permissions import text
from tests.cdk.shown_metrics import OURS, Shown, dashboards, in_alarms, on_dashboards
from tests.support.emitted_metrics import Emitted, of_gateway, of_s3_mpeg, of_services, of_switch

HOME, FAR = "observability", "observability-us-east-1"

ON_NO_DASHBOARD = {
    "RowSkipped": "the same as RowsSkipped at one moment; for filters, and to know the table",
    "RowDropped": "the same as RowsDropped at one moment",
    "IdleCpu": "ECS counts the processors' load of every service",
}


@pytest.fixture
def production(synthesise: Callable[[str], Templates]) -> Templates:
    return synthesise("production")


def emitted(templates: Templates) -> set[Emitted]:
    """Return what the programs write with the environment that the stacks give them."""

    def told(stack: str, container: str, name: str) -> str:
        return str(environment(containers(templates[stack])[container])[name])

    switch = told("switch", "switch-app", "SERVICE_NAME")
    assert told("switch", "freeswitch-event-logger", "SERVICE_NAME") == switch
    functions = {
        text(each["FunctionName"]).rpartition("-")[2]: each["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
        for each in templates["services"].properties("AWS::Lambda::Function")
        if "POWERTOOLS_SERVICE_NAME" in each.get("Environment", {}).get("Variables", {})
    }
    return (
        of_switch(switch)
        | of_gateway(Kind.PUBLIC, told("public-gateway", "scheduler", "SERVICE_NAME"))
        | of_gateway(Kind.CLIENT, told("client-gateway", "scheduler", "SERVICE_NAME"))
        | of_services(functions["services"])
        | of_s3_mpeg(functions["mpeg"])
    )


def is_of(shown: Shown, metric: Emitted) -> bool:
    same = (shown.name, shown.names) == (metric.name, metric.names())
    return same and shown.values <= metric.dimensions


def alarms(template: Template) -> dict[str, dict[str, Any]]:
    return {
        re.sub(r"^Alarms(\w+?)[0-9A-F]{8}$", r"\1", name): each["Properties"]
        for name, each in template.content["Resources"].items()
        if each["Type"] == "AWS::CloudWatch::Alarm"
    }


@pytest.mark.parametrize("name", ["staging", "production"])
def test_nothing_is_shown_or_watched_that_nobody_emits(synthesise: Callable[[str], Templates], name: str) -> None:
    templates = synthesise(name)
    there = emitted(templates)
    for template in templates.values():
        ours = {each for each in on_dashboards(template) | in_alarms(template) if each.namespace == OURS}
        nowhere = [each for each in ours if not any(is_of(each, metric) for metric in there)]
        assert nowhere == []


def test_everything_that_is_emitted_is_on_a_dashboard_or_it_is_said_why_not(staging: Templates) -> None:
    shown = on_dashboards(staging[HOME])
    by_name: dict[tuple[str, str], bool] = {}
    for metric in emitted(staging):
        (whose,) = {value for name, value in metric.dimensions if name in ("ServiceName", "service")}
        key = (metric.name, whose)
        by_name[key] = by_name.get(key, False) or any(is_of(each, metric) for each in shown)
    assert {name for (name, _), is_shown in by_name.items() if not is_shown} == set(ON_NO_DASHBOARD)


def test_a_region_s_switches_are_on_its_own_dashboard_too(staging: Templates) -> None:
    assert set(dashboards(staging[HOME])) == {"somleng-switch-staging-calls", "somleng-switch-staging-control-plane"}
    assert set(dashboards(staging[FAR])) == {"somleng-switch-staging-calls-us-east-1"}
    switch = {name for each in of_switch("switch-staging") for name in [each.name]} - set(ON_NO_DASHBOARD)
    assert switch <= {each.name for each in on_dashboards(staging[FAR])}


def test_every_picture_says_what_it_is_in_which_unit(production: Templates) -> None:
    for stack in (HOME, FAR):
        for name, widgets in dashboards(production[stack]).items():
            pictures = [each["properties"] for each in widgets if each["type"] == "metric"]
            titles = [each["title"] for each in pictures]
            assert len(set(titles)) == len(titles), name
            for each in pictures:
                axes = each["yAxis"]
                assert axes["left"]["label"], each["title"]
                assert axes["left"]["min"] == 0
                on_the_right = any(isinstance(last := line[-1], dict) and last.get("yAxis") for line in each["metrics"])
                assert on_the_right == ("right" in axes), each["title"]
                assert each["period"] in (60, 300), each["title"]


def test_dashboards_begin_with_what_is_normal_and_where_to_read(production: Templates) -> None:
    for stack in (HOME, FAR):
        for widgets in dashboards(production[stack]).values():
            first, second = widgets[:2]
            assert first["properties"]["markdown"].startswith("**Normal**")
            for page in re.findall(r"`(docs/[^`#]+)", first["properties"]["markdown"]):
                assert (ROOT / page).is_file()
            assert second["type"] == "alarm"
            assert second["properties"]["alarms"]


def test_every_alarm_says_what_it_means_and_which_runbook_to_open(production: Templates) -> None:
    for template in production.values():
        for name, alarm in alarms(template).items():
            meaning, _, page = alarm["AlarmDescription"].partition(". Runbook: ")
            assert len(meaning.split()) > 4, name
            assert page in list(Runbook), name


def test_runbooks_are_pages_with_that_heading() -> None:
    for runbook in Runbook:
        path, _, anchor = runbook.partition("#")
        headings = re.findall(r"^#+ (.+)$", (ROOT / path).read_text(), re.MULTILINE)
        anchors = {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings}
        assert not anchor or anchor in anchors, runbook


def test_alarms_of_a_region_and_their_ends_are_told_on_its_one_topic(production: Templates) -> None:
    for stack, topics in ((HOME, "services"), (FAR, "events-us-east-1")):
        assert production[stack].resources("AWS::SNS::Topic") == []
        for alarm in alarms(production[stack]).values():
            assert alarm["AlarmActions"] == alarm["OKActions"]
            assert [str(each).count(f"production-{topics}:") for each in alarm["AlarmActions"]] == [1]


SILENCE_ALARMS = {
    "SwitchSilent",
    "SwitchesUnreachable",
    "CarriersUnreached",
    "PublicGatewayDataOld",
    "ClientGatewayDataOld",
    *(f"{each}TasksMissing" for each in ("Switch", "PublicGateway", "ClientGateway", "MediaProxy")),
}


def test_silence_is_an_alarm_only_where_somebody_has_to_be_there(production: Templates, staging: Templates) -> None:
    def breaching(template: Template) -> set[str]:
        return {name for name, each in alarms(template).items() if each["TreatMissingData"] == "breaching"}

    assert breaching(production[HOME]) == SILENCE_ALARMS
    assert breaching(production[FAR]) == {"SwitchSilent", "SwitchesUnreachable", "SwitchTasksMissing"}
    assert breaching(staging[HOME]) == set(), "staging may have no task at all"


def test_thresholds_are_the_settings(production: Templates) -> None:
    thresholds = {name: each["Threshold"] for name, each in alarms(production[HOME]).items()}
    assert thresholds["SwitchFull"] == 135, "90 percent of 150 sessions"
    assert thresholds["PublicGatewayDataOld"] == thresholds["ClientGatewayDataOld"] == 300
    assert thresholds["PublicGatewayRequestsRefused"] == 500
    assert thresholds["CallsWithoutMediaProxy"] == 1
    assert thresholds["MediaProxyBusy"] == 80
    assert thresholds["CallDataRecordsWaiting"] == 900


def test_questions_are_kept_for_the_logs_of_every_container_and_function(production: Templates) -> None:
    for stack, parts in (
        (HOME, ["switch", "public-gateway", "client-gateway", "media-proxy", "services"]),
        (FAR, ["switch-us-east-1"]),
    ):
        groups = sum(len(production[part].resources("AWS::Logs::LogGroup")) for part in parts)
        queries = production[stack].properties("AWS::Logs::QueryDefinition")
        assert {each["Name"] for each in queries} == {f"somleng-switch-production/{each.name}" for each in QUERIES}
        for query in queries:
            assert len({str(each) for each in query["LogGroupNames"]}) == groups


@pytest.mark.parametrize(
    ("words", "folder"),
    [
        ("document fetched", "containers/switch_app"),
        ("call refused", "containers/switch_app"),
        ("call refused", "containers/gateway"),
        ("call is not taken", "containers/switch_app"),
        ("no media proxy takes the offer", "containers/gateway"),
        ("sip_call_id", "containers/switch_app"),
    ],
)
def test_what_questions_look_for_is_what_programs_say(words: str, folder: str) -> None:
    assert any(words in line for query in QUERIES for line in query.lines)
    sources = [path for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".cfg")]
    assert any(words in path.read_text() for path in sources)
