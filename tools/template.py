"""CloudFormation templates: read, and asked what their parameters take."""

import re
from pathlib import Path
from typing import Any

import yaml

# Both read the same; one with the help of a library in C, which not every PyYAML has, and ten
# times as fast.
try:
    from yaml import CSafeLoader as SafeLoader
except ImportError:
    from yaml import SafeLoader  # type: ignore[assignment]


class CloudFormationYaml(SafeLoader):
    """Reads CloudFormation's short forms (`!Ref x`) as the long ones (`{"Ref": "x"}`)."""

    def intrinsic(self, name: str, node: Any) -> dict[str, Any]:
        """One short form."""
        value: Any
        if isinstance(node, yaml.ScalarNode):
            value = self.construct_scalar(node)
        elif isinstance(node, yaml.SequenceNode):
            value = self.construct_sequence(node, deep=True)
        else:
            value = self.construct_mapping(node, deep=True)
        if name == "GetAtt" and isinstance(value, str):
            value = value.split(".", 1)
        return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


CloudFormationYaml.add_multi_constructor("!", CloudFormationYaml.intrinsic)


def load_template(path: Path) -> dict[str, Any]:
    """A template, with every intrinsic function in its long form."""
    text = path.read_text(encoding="utf-8")
    template: dict[str, Any] = yaml.load(text, CloudFormationYaml)  # noqa: S506  # a SafeLoader
    return template


def takes(parameter: dict[str, Any], value: str) -> bool:
    """Whether CloudFormation takes a value for a parameter: a pattern has to match all of it."""
    if "AllowedValues" in parameter:
        return value in map(str, parameter["AllowedValues"])
    is_short = len(value) <= parameter.get("MaxLength", 4096)
    return is_short and bool(re.fullmatch(parameter["AllowedPattern"], value))


def wanted(parameter: dict[str, Any]) -> str:
    """What may stand in a parameter, as a person reads it after `must be`."""
    if "AllowedValues" in parameter:
        return f"one of {', '.join(map(str, parameter['AllowedValues']))}"
    longest = parameter.get("MaxLength")
    limit = f", of at most {longest} characters" if longest else ""
    return f"{parameter['ConstraintDescription']}{limit}"
