"""What the parameters of the template take, the functions take: no wrong setting is deployed."""

import itertools
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenlight.model.message import Language
from greenlight.runtime.settings import (
    load_decision_settings,
    load_failure_settings,
    load_keeping_settings,
    load_services,
    load_settings,
)
from tests.conftest import ROOT
from tests.template import Resolved
from tools import template
from tools.template import load_template

TEMPLATE = load_template(ROOT / "template.yaml")
PARAMETERS: dict[str, dict[str, Any]] = TEMPLATE["Parameters"]
PATTERNS = {
    name: re.compile(one["AllowedPattern"])
    for name, one in PARAMETERS.items()
    if "AllowedPattern" in one
}
# What a stack is deployed with that takes clicks.
DEPLOYED = {
    "TestUrl": "https://green.example.com",
    "SlackSigningSecretParameter": "/greenlight/slack-signing-secret",
    "SlackChannel": "C0123ABCD",
}
# What has to be there for a parameter to be left empty.
INSTEAD = {"SlackWebhookParameter": {"SlackBotTokenParameter": "/greenlight/slack-bot-token"}}

SECRET_ARN = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:"


def takes(name: str, value: str) -> bool:
    """Whether CloudFormation takes a value for a parameter."""
    return template.takes(PARAMETERS[name], value)


def taken(name: str) -> st.SearchStrategy[str]:
    """Values that CloudFormation takes."""
    if "AllowedValues" in PARAMETERS[name]:
        return st.sampled_from(list(map(str, PARAMETERS[name]["AllowedValues"])))
    values = st.from_regex(PATTERNS[name], fullmatch=True)
    return values.filter(lambda value: takes(name, value))


def load(**parameters: str) -> None:
    """Reads the settings of a stack that takes clicks, as its functions do."""
    stack = Resolved(TEMPLATE, **{**DEPLOYED, **parameters})
    shared = {"AWS_REGION": "ap-northeast-2"}  # Lambda sets it
    shared |= stack.value(TEMPLATE["Globals"]["Function"]["Environment"]["Variables"])
    decision = TEMPLATE["Resources"]["DecisionFunction"]["Properties"]
    hook = TEMPLATE["Resources"]["HookFunction"]["Properties"]
    load_settings({**shared, **stack.value(hook["Environment"]["Variables"])})
    failure = TEMPLATE["Resources"]["FailureFunction"]["Properties"]
    failing = load_failure_settings({**shared, **stack.value(failure["Environment"]["Variables"])})
    assert failing.problems == ()
    if stack.holds("ServesEcs"):
        pause = stack.value(TEMPLATE["Resources"]["PauseFunction"]["Properties"])
        own = {**shared, **pause["Environment"]["Variables"]}
        load_settings(own)
        assert load_services(own) == stack.value({"Ref": "EcsServices"})
    for function in ("ChangesFunction", "ClockFunction"):
        keeping = TEMPLATE["Resources"][function]["Properties"]
        load_keeping_settings({**shared, **arns(stack.value(keeping["Environment"]["Variables"]))})
    if shared["SLACK_SIGNING_SECRET"]:
        own = stack.value(decision["Environment"]["Variables"])
        load_decision_settings({**shared, **own})


def arns(variables: dict[str, str]) -> dict[str, str]:
    """The variables of a function, with ARNs that look like some."""
    return {
        name: "arn:aws:iam::123456789012:role/x" if name.endswith("_ARN") else value
        for name, value in variables.items()
    }


@pytest.mark.unmeasured
@pytest.mark.parametrize("name", PARAMETERS)
@given(st.data())
def test_whatever_a_parameter_takes_the_functions_take(name: str, data: st.DataObject) -> None:
    load(**INSTEAD.get(name, {}), **{name: data.draw(taken(name))})


def test_the_defaults_are_taken() -> None:
    defaults = {name: str(one["Default"]) for name, one in PARAMETERS.items() if "Default" in one}

    assert all(takes(name, value) for name, value in defaults.items())
    load(**defaults)


def test_a_stack_takes_each_language_and_any_two() -> None:
    for count in (1, 2):
        for languages in itertools.permutations(Language, count):
            load(MessageLanguage=",".join(languages))
            assert takes("MessageLanguage", ",".join(languages))
            assert takes("MessageLanguage", ", ".join(languages))


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_means_the_same_to_java_and_to_python(name: str) -> None:
    # Java's \s, \d and \w are those of ASCII; its classes nest and intersect.
    class_in_a_class = r"(?<!\\)\[[^\]\\]*(\\.[^\]\\]*)*\["
    for differs in (r"\\[^u\[\]{}.*]", r"\(\?", "&&", class_in_a_class):
        assert not re.search(differs, PATTERNS[name].pattern), differs


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TestUrl", "https://{application}.green.example.com/{deployment_group}?d={deployment_id}"),
        ("TestUrl", "https://{service}.{cluster}.green.example.com/{application}"),
        ("TestUrl", "http://user:pass%20word@green.example.com:8443/a/b?c=[d]&e=@#f:g"),
        ("TestUrl", "https://green.example.com:/?"),
        ("TestUrl", "https://블루.example.com/경로?메모=그린"),
        ("TestUrl", "http://[fe80::1%eth0]:8080/"),
        ("TestUrl", "http://10.0.0.1:65535"),
        ("SlackImageUrl", ""),
        ("SlackImageUrl", "https://example.com/고양이.gif"),
        ("SlackWebhookParameter", "/a/b_c.d-e"),
        ("SlackWebhookSecretArn", SECRET_ARN + "slack/webhook-AbCdEf"),
        ("Approvers", "U0ALICE, W0BOB\tU1"),
        ("MessageLanguage", "ko"),
        ("MessageLanguage", "en"),
        ("SlackCommand", ""),
        ("SlackCommand", "/greenlight"),
        ("SlackCommand", "/" + "a" * 31),
        ("DecideWithinMinutes", ""),
        ("DecideWithinMinutes", "1"),
        ("DecideWithinMinutes", "9999"),
        ("DecideWithinMinutes", "10000"),
        ("DecideWithinMinutes", "20160"),
        ("RemindMinutesBefore", ""),
        ("RemindMinutesBefore", "20160, 1440,60,15, 5"),
        ("EcsServices", ""),
        ("EcsServices", "*"),
        ("EcsServices", "*/*"),
        ("EcsServices", "my_Cluster-1/*-api*v2-*"),
        ("PauseFailure", "leave"),
        ("GateTtlDays", "1"),
        ("GateTtlDays", "0090"),
        ("GateTtlDays", "3650"),
        ("ExistingTableName", "my.table-1_2"),
    ],
)
def test_what_was_deployed_before_can_still_be(name: str, value: str) -> None:
    assert takes(name, value)
    load(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TestUrl", ""),
        ("TestUrl", "https://"),
        ("TestUrl", "https://{region}.example.com"),
        ("TestUrl", "https://{{application}}.example.com"),
        ("TestUrl", "https://{application.example.com"),
        ("TestUrl", "https://green.example.com/}"),
        ("TestUrl", "https://green.example.com:port"),
        ("TestUrl", "https://green.example.com:65536"),
        ("TestUrl", "https://[green"),
        ("TestUrl", "https://green.example.com/a\u00a0b"),
        ("TestUrl", "https://green.example.com/" + "a" * 1000),
        ("SlackImageUrl", "https:///cat.gif"),
        ("SlackImageUrl", "https://example.com/" + "a" * 3000),
        ("SlackWebhookParameter", "/" + "a" * 1011),
        ("SlackSigningSecretParameter", "/" + "a" * 1011),
        ("SlackWebhookSecretArn", SECRET_ARN + "a" * 520),
        ("SlackSigningSecretArn", SECRET_ARN + "a" * 520),
        ("Approvers", "U" + "0" * 31),
        ("SlackCommand", "greenlight"),
        ("SlackCommand", "/Greenlight"),
        ("SlackCommand", "/" + "a" * 32),
        ("MessageLanguage", "fr"),
        ("MessageLanguage", "ko,fr"),
        ("MessageLanguage", "ja,ja"),
        ("MessageLanguage", "ko,en,ja"),
        ("DecideWithinMinutes", "0"),
        ("DecideWithinMinutes", "20161"),
        ("DecideWithinMinutes", "100000"),
        ("RemindMinutesBefore", "20161"),
        ("RemindMinutesBefore", "15,20161"),
        ("RemindMinutesBefore", "6,5,4,3,2,1"),
        ("EcsServices", "shop"),
        ("EcsServices", "/shop"),
        ("EcsServices", "production/shop/1"),
        ("EcsServices", "production/sh?p"),
        ("EcsServices", "**"),
        ("EcsServices", "production/**"),
        ("EcsServices", "production/a**b"),
        ("EcsServices", "production/" + "a" * 245),
        ("EcsServices", "arn:aws:ecs:ap-northeast-2:123456789012:service/production/shop"),
        ("PauseFailure", ""),
        ("PauseFailure", "continue"),
        ("GateTtlDays", "1.5"),
        ("GateTtlDays", "1e2"),
        ("GateTtlDays", "0"),
        ("GateTtlDays", "3651"),
        ("DecisionConcurrency", "1.5"),
        ("DecisionConcurrency", "-1"),
        ("DecisionConcurrency", "101"),
    ],
)
def test_what_the_functions_refuse_cannot_be_deployed(name: str, value: str) -> None:
    assert not takes(name, value)
