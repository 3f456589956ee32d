"""What the documentation gives to paste does what it says."""

import itertools
import json
import re
import shlex
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from moto.iam.access_control import IAMPolicy, PermissionResult

from greenlight_cli.main import main
from stand_ins.aws import TABLE, AwsStandIn
from tests.functional.conftest import Clicker, Invoke
from tests.functional.test_cli import without_index
from tests.functional.test_decide import answer_elsewhere
from tests.functional.test_template import ARNS, ON_NO_RESOURCE
from tests.template import ACCOUNT, REGION

ROOT = Path(__file__).parents[2]
DEPLOY = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")


def pasted(language: str, containing: str) -> str:
    """The block of the page on deploying that has this text."""
    blocks: list[str] = re.findall(rf"```{language}\n(.*?)```", DEPLOY, re.DOTALL)
    (block,) = [one for one in blocks if containing in one]
    return block


def test_the_policy_for_the_command_is_what_the_command_needs(
    click: Clicker, invoke: Invoke, aws: AwsStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = pasted("json", "status-deadline")
    names = {"REGION": REGION, "ACCOUNT": ACCOUNT, "/TABLE": "/Table"}
    for name, value in names.items():
        text = text.replace(name, value)
    policy = json.loads(text)
    monkeypatch.setenv("DYNAMODB_TABLE_NAME", TABLE)
    answer_elsewhere(aws, "Failed")
    aws.actions.clear()

    for command in (["list"], ["approve", "d-LOCALTEST"], ["show", "d-LOCALTEST"]):
        CliRunner().invoke(main, command, catch_exceptions=False)
    without_index(aws)
    aws.actions.discard("dynamodb:UpdateTable")
    CliRunner().invoke(main, ["list"])

    needed = aws.actions - {"sts:GetCallerIdentity"}  # everybody may ask that
    granted = {
        action
        for statement in policy["Statement"]
        for action in (
            [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        )
    }
    assert granted == needed
    for action in needed:
        index = "/index/status-deadline" if action == "dynamodb:Query" else ""
        resource = "*" if action in ON_NO_RESOURCE else ARNS[action.partition(":")[0]] + index
        allowed = IAMPolicy(text).is_action_permitted(action, resource)
        assert allowed is PermissionResult.PERMITTED, action


def test_the_index_can_be_added_to_a_table_as_people_have_it(
    click: Clicker, aws: AwsStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DYNAMODB_TABLE_NAME", TABLE)
    without_index(aws)
    words = shlex.split(pasted("sh", "update-table").replace("\\\n", " "))
    assert words[:3] == ["aws", "dynamodb", "update-table"]
    options = dict(itertools.pairwise(words))
    definitions = words[words.index("--attribute-definitions") + 1 :][:2]

    aws.client("dynamodb").update_table(
        TableName=options["--table-name"],
        AttributeDefinitions=[
            dict(pair.split("=") for pair in one.split(",")) for one in definitions
        ],
        GlobalSecondaryIndexUpdates=json.loads(options["--global-secondary-index-updates"]),
    )

    result = CliRunner().invoke(main, ["list", "--json"], catch_exceptions=False)
    assert [gate["deployment_id"] for gate in json.loads(result.stdout)] == ["d-LOCALTEST"]


def test_the_appspec_names_the_hook() -> None:
    appspec = yaml.safe_load(pasted("yaml", "AfterAllowTestTraffic"))

    assert appspec["Hooks"] == [{"AfterAllowTestTraffic": "CodeDeployHook_greenlight"}]


def test_every_parameter_of_the_template_is_explained() -> None:
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    parameters = template.partition("\nParameters:\n")[2].partition("\nConditions:")[0]

    for name in re.findall(r"^  (\w+):$", parameters, re.MULTILINE):
        assert f"`{name}`" in DEPLOY, name
