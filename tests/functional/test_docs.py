"""What the documentation gives to paste does what it says."""

import itertools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from moto.iam.access_control import IAMPolicy, PermissionResult

from greenlight.engines.ecs import gate_id_of
from greenlight.model.gate import EngineName, Hook, NewGate
from greenlight.storage.table import GateTable
from greenlight_cli.main import main
from stand_ins.aws import TABLE, AwsStandIn
from stand_ins.ecs import HOOK_ID, add_deployment, deployment_arn, pause
from stand_ins.slack import SlackStandIn
from tests.conftest import ROOT
from tests.functional.conftest import Clicker, Invoke
from tests.functional.helpers import ARNS, ON_NO_RESOURCE, answer_elsewhere, without_index
from tests.template import ACCOUNT, REGION

DEPLOY = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
OPERATE = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
ECS = (ROOT / "docs" / "ecs.md").read_text(encoding="utf-8")


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


def test_the_statement_for_ecs_is_what_the_command_needs_besides(
    environ: dict[str, str], aws: AwsStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    (block,) = re.findall(r"```json\n(.*?)```", ECS, re.DOTALL)
    statement = json.loads(block.replace("REGION", REGION).replace("ACCOUNT", ACCOUNT))
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    gate_id = gate_with_a_pause(aws)
    aws.actions.clear()

    results = [
        CliRunner().invoke(main, command, catch_exceptions=False)
        for command in (["list"], ["approve", gate_id])
    ]

    assert [result.exit_code for result in results] == [0, 0], results[-1].output
    needed = {action for action in aws.actions if action.startswith("ecs:")}
    assert set(statement["Action"]) == needed
    policy = IAMPolicy(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    for action in needed:
        for kind in ("service", "service-deployment"):
            resource = f"arn:aws:ecs:{REGION}:{ACCOUNT}:{kind}/production/shop"
            allowed = policy.is_action_permitted(action, resource)
            assert allowed is PermissionResult.PERMITTED, (action, kind)


def gate_with_a_pause(aws: AwsStandIn) -> str:
    """The id of the gate of a deployment of ECS that pauses."""
    arn, now = deployment_arn(), datetime.now(UTC)
    add_deployment(arn)
    pause(arn, HOOK_ID)
    hook = Hook(gate_id_of(arn, HOOK_ID), HOOK_ID, EngineName.ECS, arn)
    day = now + timedelta(days=1)
    GateTable(aws.client("dynamodb"), TABLE).open(
        NewGate(hook, "https://green.example.com", created_at=now, deadline=day, expires_at=day)
    )
    return hook.deployment_id


def test_the_index_can_be_added_to_a_table_as_people_have_it(
    click: Clicker, aws: AwsStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DYNAMODB_TABLE_NAME", TABLE)
    without_index(aws)
    words = shlex.split(pasted("sh", "--attribute-definitions").replace("\\\n", " "))
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


def test_the_slash_command_of_the_page_is_that_of_the_app() -> None:
    app = yaml.safe_load((ROOT / "slack-app.yaml").read_text(encoding="utf-8"))

    assert yaml.safe_load(pasted("yaml", "slash_commands")) == {
        "slash_commands": app["features"]["slash_commands"]
    }


def test_every_parameter_of_the_template_is_explained() -> None:
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    parameters = template.partition("\nParameters:\n")[2].partition("\nRules:")[0]

    for name in re.findall(r"^  (\w+):$", parameters, re.MULTILINE):
        assert f"`{name}`" in DEPLOY, name


def test_the_hook_can_be_tried_by_hand_as_the_page_says(
    environ: dict[str, str], aws: AwsStandIn, slack: SlackStandIn, tmp_path: Path
) -> None:
    (block,) = re.findall(r"```sh\n(cd function\n.*?)```", OPERATE, re.DOTALL)
    shutil.copytree(ROOT / "function", tmp_path / "function")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    environ = {**environ, "PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}

    subprocess.run(["sh", "-ec", block], cwd=tmp_path, env=environ, check=True)

    assert [item["status"]["S"] for item in aws.items()] == ["WAITING"]
    assert len(slack.messages) == 1


def completion(shell: str) -> str:
    """The line that has a shell complete the command."""
    (line,) = re.findall(rf".*_GREENLIGHT_COMPLETE={shell}_source greenlight.*", OPERATE)
    return str(line)


@pytest.mark.parametrize(
    ("shell", "registration", "word"),
    [
        ("bash", "complete -o nosort -F _greenlight_completion greenlight", "1"),
        ("zsh", "compdef _greenlight_completion greenlight", "1"),
        ("fish", "complete --no-files --command greenlight", "ap"),
    ],
)
def test_the_line_for_a_shell_gives_it_a_script_that_completes_commands(
    shell: str, registration: str, word: str
) -> None:
    def answer(instruction: str) -> str:
        """What the command tells the shell; `COMP_CWORD` is a number, or the word itself."""
        words = {"COMP_WORDS": "greenlight ap", "COMP_CWORD": word}
        environ = {"_GREENLIGHT_COMPLETE": instruction, **words}
        done = CliRunner().invoke(main, prog_name="greenlight", env=environ)
        assert done.exit_code == 0
        return done.stdout

    (instruction,) = re.findall(r"_GREENLIGHT_COMPLETE=(\w+)", completion(shell))

    assert registration in answer(instruction)
    completed = answer(instruction.replace("source", "complete"))
    assert "approve" in completed
    assert "reject" not in completed


def test_bash_completes_commands_once_it_has_read_its_line(tmp_path: Path) -> None:
    command = tmp_path / "greenlight"
    command.write_text(f"#!{sys.executable}\nfrom greenlight_cli.main import main\nmain()\n")
    command.chmod(0o755)
    press_tab = f"""
        {completion("bash")}
        COMP_WORDS=(greenlight "") COMP_CWORD=1
        _greenlight_completion greenlight
        echo "${{COMPREPLY[@]}}"
    """

    done = subprocess.run(
        ["bash", "-c", press_tab],
        env={
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join([str(ROOT / "function"), str(ROOT / "cli")]),
        },
        capture_output=True,
        text=True,
        check=True,
    )

    assert (done.stdout, done.stderr) == ("approve list reject secrets show\n", "")
