"""What tests and demo send to the stand-ins goes there directly, whatever proxy there is."""

import urllib.request

import boto3
import pytest
import requests

from stand_ins.aws import CREDENTIALS, TABLE, AwsStandIn
from stand_ins.codedeploy import REGION
from stand_ins.slack import SlackStandIn
from tests.conftest import go_past_proxies

NOBODY = "http://127.0.0.1:9"
PROXIES = [
    spelt for name in ("http_proxy", "https_proxy", "all_proxy") for spelt in (name, name.upper())
]


@pytest.fixture(autouse=True)
def _proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.setenv(name, NOBODY)


def test_a_proxy_that_answers_nobody_is_asked_for_everything_else() -> None:
    with pytest.raises(requests.exceptions.ProxyError):
        requests.get("http://greenlight.example.com", timeout=5)


def test_slack_is_reached_past_the_proxy(slack: SlackStandIn) -> None:
    answer = requests.post(slack.webhook_url, json={"text": "hello"}, timeout=5)

    assert (answer.status_code, slack.messages) == (200, [{"text": "hello"}])
    with urllib.request.urlopen(slack.webhook_url, b'{"text": "again"}') as response:
        assert response.status == 200


def test_aws_is_reached_past_the_proxy(aws: AwsStandIn) -> None:
    dynamodb = boto3.Session(
        CREDENTIALS["AWS_ACCESS_KEY_ID"],
        CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    ).client("dynamodb", endpoint_url=aws.endpoint_url)

    assert dynamodb.list_tables()["TableNames"] == [TABLE]


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_who_else_is_reached_past_it_stays_so(name: str) -> None:
    environ = {name: "intranet.example.com,127.0.0.1"}

    go_past_proxies(environ)

    hosts = "intranet.example.com,127.0.0.1,localhost,::1"
    assert environ == {"NO_PROXY": hosts, "no_proxy": hosts}
