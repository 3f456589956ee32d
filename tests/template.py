"""Says what the intrinsic functions of a CloudFormation template come to."""

import re
from typing import Any

ACCOUNT = "123456789012"
REGION = "ap-northeast-2"
PSEUDO_PARAMETERS = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::StackName": "greenlight",
    "AWS::NoValue": None,
}


class Resolved:
    """A template with parameters: `value` says what a part of it comes to.

    A resource's Ref is its logical id; its attributes are `LogicalId.Attribute`, but for ARNs.
    """

    def __init__(self, template: dict[str, Any], **parameters: str) -> None:
        self._conditions = template["Conditions"]
        self._rules = template["Rules"]
        self._names = {
            **{name: one.get("Default") for name, one in template["Parameters"].items()},
            **PSEUDO_PARAMETERS,
            **parameters,
        }

    def value(self, part: Any) -> Any:
        """What a part of the template comes to; NoValue is left out of lists."""
        if isinstance(part, list):
            return [value for one in part if (value := self.value(one)) is not None]
        if not isinstance(part, dict):
            return part
        match part:
            case {"Ref": name}:
                return self._names.get(name, name)
            case {"Fn::GetAtt": [name, attribute]}:
                return f"arn:{name}" if attribute == "Arn" else f"{name}.{attribute}"
            case {"Fn::If": [condition, yes, no]}:
                return self.value(yes if self.holds(condition) else no)
            case {"Fn::Sub": [text, names]}:
                return self._substitute(text, {name: self.value(v) for name, v in names.items()})
            case {"Fn::Sub": text}:
                return self._substitute(text, {})
        return {name: self.value(one) for name, one in part.items()}

    def holds(self, condition: str) -> bool:
        """Whether a condition of the template holds."""
        return self._holds(self._conditions[condition])

    def refusals(self) -> list[str]:
        """What CloudFormation says against these parameters."""
        return [
            assertion["AssertDescription"]
            for rule in self._rules.values()
            if self._holds(rule.get("RuleCondition", {"Fn::Equals": ["", ""]}))
            for assertion in rule["Assertions"]
            if not self._holds(assertion["Assert"])
        ]

    def _holds(self, condition: Any) -> bool:
        match condition:
            case {"Condition": name}:
                return self.holds(name)
            case {"Fn::And": all_of_them}:
                return all(map(self._holds, all_of_them))
            case {"Fn::Or": alternatives}:
                return any(map(self._holds, alternatives))
            case {"Fn::Not": [negated]}:
                return not self._holds(negated)
            case {"Fn::Equals": [one, other]}:
                return bool(self.value(one) == self.value(other))
        raise ValueError(condition)

    def _substitute(self, text: str, names: dict[str, Any]) -> str:
        known = {**self._names, **names}
        return re.sub(r"\$\{([^!}]+)\}", lambda name: str(known.get(name[1], name[1])), text)
