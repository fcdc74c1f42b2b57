"""A template of CloudFormation's, as far as the rules look into it."""

from __future__ import annotations

import re
from typing import Any

import yaml


class TemplateLoader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: `!Ref` is `Ref`, `!Sub` is `Fn::Sub`."""

    def short_form(self, name: str, node: yaml.Node) -> dict[str, Any]:
        """A function with its argument."""
        if isinstance(node, yaml.ScalarNode):
            value: Any = self.construct_scalar(node)
        elif isinstance(node, yaml.SequenceNode):
            value = self.construct_sequence(node, deep=True)
        else:
            assert isinstance(node, yaml.MappingNode)
            value = self.construct_mapping(node, deep=True)
        return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


TemplateLoader.add_multi_constructor("!", TemplateLoader.short_form)


class Stack:
    """A template with the values of its parameters."""

    def __init__(self, form: dict[str, str]) -> None:
        self.name = form.get("StackName", "")
        self.template: dict[str, Any] = yaml.load(form.get("TemplateBody", "{}"), TemplateLoader)
        self._values = {
            name: str(parameter["Default"])
            for name, parameter in self.template.get("Parameters", {}).items()
            if "Default" in parameter
        }
        for field, name in form.items():
            if found := re.fullmatch(r"Parameters\.member\.(\d+)\.ParameterKey", field):
                value = form.get(f"Parameters.member.{found[1]}.ParameterValue", "")
                self._values[name] = value

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of the resources of a type that are made, by their logical names."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.template.get("Resources", {}).items()
            if resource.get("Type") == kind
            and ("Condition" not in resource or self._holds(resource["Condition"]))
        }

    def value(self, value: Any) -> Any:
        """A value, with references to parameters and conditions on empty ones resolved."""
        match value:
            case {"Ref": str(name)}:
                return self._values.get(name)
            case {"Fn::If": [str(condition), yes, no]}:
                return self.value(yes if self._holds(condition) else no)
            case _:
                return value

    def _holds(self, condition: str) -> bool:
        return self._is_true(self.template.get("Conditions", {}).get(condition))

    def _is_true(self, expression: Any) -> bool:
        match expression:
            case {"Condition": str(name)}:
                return self._holds(name)
            case {"Fn::Not": [one]}:
                return not self._is_true(one)
            case {"Fn::And": list(all_of)}:
                return all(map(self._is_true, all_of))
            case {"Fn::Equals": [one, other]}:
                return str(self.value(one)) == str(self.value(other))
            case _:
                raise ValueError(f"the front cannot tell whether {expression} holds")
