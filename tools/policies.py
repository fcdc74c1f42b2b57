"""Writes infra/policies: the policies of the template, as whoever has no stack yet attaches them.

    python tools/policies.py

What the stack makes is named there as CloudFormation will name it: by the stack, the resource, and
letters that nobody knows before.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from cfnlint.decode import cfn_yaml

PROJECT = Path(__file__).resolve().parent.parent
POLICIES = PROJECT / "infra" / "policies"
HERE = "${AWS::Region}:${AWS::AccountId}"
# How CloudFormation names what a template gives no name; buckets and repositories in small letters
# (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html).
NAMES = {
    "AWS::S3::Bucket": "arn:${AWS::Partition}:s3:::${StackNameInSmallLetters}-%s-*",
    "AWS::SQS::Queue": "arn:${AWS::Partition}:sqs:" + HERE + ":${AWS::StackName}-%s-*",
    "AWS::Lambda::Function": "arn:${AWS::Partition}:lambda:"
    + HERE
    + ":function:${AWS::StackName}-%s-*",
    "AWS::Logs::LogGroup": "arn:${AWS::Partition}:logs:"
    + HERE
    + ":log-group:${AWS::StackName}-%s-*",
    "AWS::ECR::Repository": "arn:${AWS::Partition}:ecr:"
    + HERE
    + ":repository/${StackNameInSmallLetters}-%s-*",
}
SMALL = ("AWS::S3::Bucket", "AWS::ECR::Repository")


def main() -> None:
    """Write the policies."""
    POLICIES.mkdir(exist_ok=True)
    for role, text in policies().items():
        (POLICIES / f"{role}.json").write_text(text)


def policies() -> dict[str, str]:
    """The policies by role, as text."""
    resources = cfn_yaml.load(str(PROJECT / "infra" / "template.yaml"))["Resources"]
    documents = {
        "administrator": resources["AdministratorPolicy"]["Properties"]["PolicyDocument"],
        "artist": resources["ArtistPolicy"]["Properties"]["PolicyDocument"],
        "consumer": resources["ConsumerRole"]["Properties"]["Policies"][0]["PolicyDocument"],
    }
    return {
        role: json.dumps(resolved(document, resources), indent=2) + "\n"
        for role, document in documents.items()
    }


def resolved(value: Any, resources: dict[str, Any]) -> Any:
    """A value with the stack's resources named."""
    match value:
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{(\w+)(\.Arn)?\}", lambda found: named(found[1], resources), text)
        case {"Fn::GetAtt": [str(name), "Arn"]}:
            return named(name, resources)
        case {"Fn::GetAtt": str(text)}:
            return named(text.removesuffix(".Arn"), resources)
        case dict():
            return {str(key): resolved(item, resources) for key, item in value.items()}
        case list():
            return [resolved(item, resources) for item in value]
        case _:
            return str(value)


def named(name: str, resources: dict[str, Any]) -> str:
    """How a resource will be called; an API has an id that nobody knows before."""
    kind = resources[name]["Type"]
    if kind == "AWS::ApiGatewayV2::Api":
        return "*"
    return NAMES[kind] % (name.lower() if kind in SMALL else name)


if __name__ == "__main__":
    main()
