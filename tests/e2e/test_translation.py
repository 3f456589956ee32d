"""What SAM makes of the template, in the version that is pinned."""

import copy
import json
from pathlib import Path
from typing import Any

from tests.deployed import EMULATOR, ROOT
from tests.e2e.conftest import run
from tools.template import load_template

CODE = """
import json, sys
from samtranslator.translator.transform import transform

class NoPolicies:
    def load(self):
        return {}

template = json.loads(open(sys.argv[1]).read())
open(sys.argv[1], "w").write(json.dumps(transform(template, {}, NoPolicies())))
"""


def translated(template: dict[str, Any], folder: Path) -> Any:
    template["Globals"]["Function"]["CodeUri"] = "s3://bucket/key"
    path = folder / "template.json"
    path.write_text(json.dumps(template))
    run(EMULATOR / "python", "-c", CODE, path, AWS_DEFAULT_REGION="ap-northeast-2")
    return json.loads(path.read_text())


def test_the_function_url_is_the_one_that_sam_would_make(tmp_path: Path) -> None:
    # Under other names, or with other properties, a deployed stack would get another URL.
    ours = load_template(ROOT / "template.yaml")
    sams = copy.deepcopy(ours)
    for name, resource in ours["Resources"].items():
        of_url = resource["Type"] in ("AWS::Lambda::Url", "AWS::Lambda::Permission")
        if of_url and {"Ref": "DecisionFunction"} in resource["Properties"].values():
            del sams["Resources"][name]
    decision = sams["Resources"]["DecisionFunction"]["Properties"]
    decision["FunctionUrlConfig"] = {"AuthType": "NONE"}

    assert len(sams["Resources"]) == len(ours["Resources"]) - 3
    assert translated(ours, tmp_path) == translated(sams, tmp_path)
