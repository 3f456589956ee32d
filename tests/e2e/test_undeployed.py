"""The life of a stack after its first deployment: it is changed, and removed. Runs last."""

import json

from tests.deployed import ROOT, STACK, Deployed
from tests.e2e.conftest import TEST_URL, make, run
from tools.stack import read
from tools.template import load_template

# What SAM reads of a file of parameters, with its own code.
READ_BY_SAM = """
import json, sys
from samcli.cli.types import CfnParameterOverridesType
print(json.dumps(CfnParameterOverridesType().convert((sys.argv[1],), None, None)))
"""
# Whatever SAM, a shell or YAML may take for its own.
AWKWARD_URL = r"""https://{application}.블루.example.com/a"b'c\d?e=#f:g&h='i'$j*"""


def parameters(deployed: Deployed) -> dict[str, str]:
    stacks = deployed.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    return {one["ParameterKey"]: one["ParameterValue"] for one in stacks[0]["Parameters"]}


def test_what_is_edited_is_changed_and_nothing_else(deployed: Deployed) -> None:
    file = deployed.folder / "deploy.toml"
    before, url = parameters(deployed), deployed.output("DecisionUrl")
    text = file.read_text(encoding="utf-8").replace(TEST_URL, json.dumps(AWKWARD_URL)[1:-1])
    file.write_text(text.replace('= "ko"', '= "en"'), encoding="utf-8")

    said = make("deploy", deployed.folder, AWS_ENDPOINT_URL=deployed.endpoint_url)

    assert "\n  MessageLanguage: ko -> en\nBuilding" in said
    changed = {"MessageLanguage": "en", "TestUrl": AWKWARD_URL}
    assert parameters(deployed) == {**before, **changed}
    known = load_template(ROOT / "template.yaml")["Parameters"]
    assert parameters(deployed) == read(file, known).parameters
    assert deployed.output("DecisionUrl") == url


def test_sam_reads_every_parameter_as_it_is_meant(deployed: Deployed) -> None:
    file = deployed.folder / ".aws-sam" / "parameters.yaml"
    python = ROOT / ".venv-sam" / "bin" / "python"

    assert json.loads(run(python, "-c", READ_BY_SAM, f"file://{file}")) == parameters(deployed)


def test_what_is_removed_is_gone_but_for_the_table(deployed: Deployed) -> None:
    table = deployed.output("TableName")

    said = make("undeploy", deployed.folder, AWS_ENDPOINT_URL=deployed.endpoint_url)

    assert f"aws dynamodb delete-table --table-name {table} " in said
    assert table in deployed.client("dynamodb").list_tables()["TableNames"]
    assert deployed.client("lambda").list_functions()["Functions"] == []
