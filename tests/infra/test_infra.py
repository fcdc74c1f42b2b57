"""The stack is defined once: Terraform's module takes and gives what the template does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import hcl2
from cfnlint.decode import cfn_yaml
from policies import policies

PROJECT = Path(__file__).resolve().parent.parent.parent
MODULE = PROJECT / "infra" / "terraform"
TAG = "render-on-lambda"

# What of the template cannot be tagged
# (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/).
WITHOUT_TAGS = {
    "AWS::S3::BucketPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::Permission",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::IAM::ManagedPolicy",
    "AWS::CloudWatch::Dashboard",
    "AWS::Budgets::Budget",
    "Custom::Image",
}

# What knows no resource
# (https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html).
WITHOUT_RESOURCE = {
    "ecr:GetAuthorizationToken",
    "lambda:CreateEventSourceMapping",
    "lambda:GetAccountSettings",
    "servicequotas:ListRequestedServiceQuotaChangeHistoryByQuota",
    "sns:Unsubscribe",
}


def template() -> dict[str, Any]:
    """The CloudFormation template."""
    return cfn_yaml.load(str(PROJECT / "infra" / "template.yaml"))


def blocks(kind: str) -> dict[str, Any]:
    """The blocks of a kind in the module, by name."""
    found: dict[str, Any] = {}
    for path in sorted(MODULE.glob("*.tf")):
        with path.open() as file:
            for block in hcl2.load(file).get(kind, []):
                found |= {name.strip('"'): body for name, body in block.items()}
    return found


def snake(name: str) -> str:
    """ConsumerMemory is consumer_memory."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def text(value: object) -> str:
    """A value as text, without the quotes that the parser may keep."""
    return str(value).strip('"').removesuffix(".0")


def test_the_module_takes_the_templates_parameters_with_their_defaults() -> None:
    parameters = template()["Parameters"]
    variables = blocks("variable")
    assert set(variables) - {"stack_name"} == {snake(name) for name in parameters}
    for name, parameter in parameters.items():
        variable = variables[snake(name)]
        if "Default" in parameter:
            assert text(variable["default"]) == text(parameter["Default"]), name
        else:
            assert "default" not in variable, name


def test_the_module_gives_every_parameter_to_the_stack() -> None:
    source = (MODULE / "main.tf").read_text()
    for name in template()["Parameters"]:
        assert re.search(rf"\b{name}\s+= var\.{snake(name)}\b", source), name
    assert "../template.yaml" in source


def test_the_module_gives_the_templates_outputs() -> None:
    outputs = template()["Outputs"]
    assert set(blocks("output")) == {snake(name) for name in outputs}
    source = (MODULE / "outputs.tf").read_text()
    for name in outputs:
        # What there is only with the functions, is looked up.
        assert re.search(rf'outputs(\["{name}"\]|, "{name}", null)', source), name


def test_no_policy_allows_everything() -> None:
    for name, resource in template()["Resources"].items():
        statements = list(statements_of(resource.get("Properties", {})))
        for statement in statements:
            if statement["Effect"] == "Allow" and "Principal" not in statement:
                actions = statement["Action"]
                actions = [actions] if isinstance(actions, str) else actions
                assert not any("*" in action for action in actions), name
                if not set(actions) <= WITHOUT_RESOURCE:
                    assert statement["Resource"] != "*", name


def test_everything_that_can_be_tagged_has_the_stacks_tag() -> None:
    untagged = [
        name
        for name, resource in template()["Resources"].items()
        if resource["Type"] not in WITHOUT_TAGS
        and TAG not in str(resource.get("Properties", {}).get("Tags"))
    ]
    assert untagged == []


def statements_of(value: Any) -> Any:
    """Every statement of every policy below a value."""
    if isinstance(value, dict):
        if isinstance(value.get("Statement"), list):
            yield from value["Statement"]
        else:
            for item in value.values():
                yield from statements_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from statements_of(item)


def test_the_blenders_that_the_stack_tells_are_those_of_its_image() -> None:
    parts = json.loads((PROJECT / "infra" / "image" / "parts.json").read_text())
    names = [layer["name"].split(" ") for layer in parts["layers"]]
    blenders = sorted(name[1] for name in names if name[0] == "blender")
    assert template()["Outputs"]["BlenderVersions"]["Value"]["Fn::If"][2] == " ".join(blenders)


def test_everything_in_the_bucket_but_the_code_is_deleted_in_time() -> None:
    rules = template()["Resources"]["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    prefixes = {rule["Prefix"] for rule in rules if "ExpirationInDays" in rule}
    keys = (PROJECT / "native" / "protocol" / "src" / "keys.rs").read_text()
    written = set(re.findall(r"^//! ([a-z-]+/)", keys, re.MULTILINE))
    assert written == prefixes | {"code/", "set-up/"}


def test_the_policies_by_themselves_are_those_of_the_template() -> None:
    for role, text in policies().items():
        written = (PROJECT / "infra" / "policies" / f"{role}.json").read_text()
        assert written == text, f"{role}: run python tools/policies.py"
