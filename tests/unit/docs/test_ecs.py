"""What docs/ecs.md gives to paste is what AWS takes, and what Greenlight's messages give."""

import json
import re
import shlex
from typing import Any

import boto3
import pytest
import yaml
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from greenlight.engines.ecs import Ecs, parse_hook_change
from tests.conftest import ROOT, load_event

PAGE = (ROOT / "docs" / "ecs.md").read_text(encoding="utf-8")
HOOK = parse_hook_change(load_event("pause/awaiting_action")).hook
# The hook that a service gets, whatever it is written in.
WANTED = {
    "targetType": "PAUSE",
    "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"],
    "timeoutConfiguration": {"timeoutInMinutes": 1440, "action": "ROLLBACK"},
}


def pasted(language: str, containing: str) -> str:
    """The block of the page that has this text."""
    blocks: list[str] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    (block,) = [one for one in blocks if containing in one]
    return block


def as_of_the_api(value: Any) -> Any:
    """A value whose names are those of ECS's API, not of CloudFormation."""
    if isinstance(value, dict):
        return {name[0].lower() + name[1:]: as_of_the_api(one) for name, one in value.items()}
    return [as_of_the_api(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("containing", ["BLUE_GREEN", "LINEAR"])
def test_ecs_has_all_names_of_the_template(containing: str) -> None:
    block = yaml.safe_load(pasted("yaml", containing))
    block = block["Service"]["Properties"] if "Service" in block else block
    shape: Any = ServiceModel(Loader().load_service_model("ecs", "service-2")).shape_for(
        "DeploymentConfiguration"
    )

    report = ParamValidator().validate(as_of_the_api(block["DeploymentConfiguration"]), shape)

    assert not report.has_errors(), report.generate_report()
    known = set(shape.members)
    assert {name[0].lower() + name[1:] for name in block["DeploymentConfiguration"]} <= known


def test_the_hook_is_the_same_in_cloudformation_and_cdk() -> None:
    template = yaml.safe_load(pasted("yaml", "BLUE_GREEN"))
    (hook,) = template["Service"]["Properties"]["DeploymentConfiguration"]["LifecycleHooks"]
    written = pasted("ts", "addPropertyOverride").partition("LifecycleHooks', ")[2]
    (in_cdk,) = yaml.safe_load(written.rpartition(");")[0])  # JavaScript's literals are YAML here

    assert as_of_the_api(hook) == as_of_the_api(in_cdk) == WANTED


def test_the_hook_is_the_same_in_terraform() -> None:
    block = pasted("hcl", "lifecycle_hook").partition("lifecycle_hook {")[2]

    written = dict(re.findall(r"(\w+) += (.+)", block))

    assert {name: json.loads(text) for name, text in written.items()} == {
        "target_type": WANTED["targetType"],
        "lifecycle_stages": WANTED["lifecycleStages"],
        "timeout_in_minutes": 1440,
        "action": "ROLLBACK",
    }


def test_the_commands_are_those_of_the_message() -> None:
    client = boto3.client(
        "ecs", region_name="us-west-2", aws_access_key_id="none", aws_secret_access_key="none"
    )
    reject = Ecs(client).pointers(HOOK, "gates").commands.reject

    assert shlex.split(pasted("sh", "--hook-id").replace("\\\n", " ")) == shlex.split(reject)
    assert shlex.split(pasted("sh", "greenlight approve"))[2] == HOOK.deployment_id
