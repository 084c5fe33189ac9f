"""Compares what SAM and the CDK deploy: every resource, property and permission.

drift.py TEMPLATE DIFFERENCES CDK_OUT...

TEMPLATE is for SAM. DIFFERENCES lists what may differ and why. Each CDK_OUT is a folder that the CDK synthesized with
path metadata; its name is that of its parameters for TEMPLATE in parameters.json. Ends with 1 when anything else
differs, and when nothing needs an entry of DIFFERENCES.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[3] / "infra/checks"))
import checkers

STACK = "flights-test"
ABSENT = object()


@dataclass(frozen=True, order=True)
class Difference:
    resource: str
    property: str
    sam: str
    cdk: str

    def __str__(self) -> str:
        return f"{self.resource}: {self.property}\n    SAM  {self.sam}\n    CDK  {self.cdk}"


class Template:
    """A template whose references and conditions are resolved."""

    def __init__(self, document: dict[str, Any], parameters: dict[str, str], names: dict[str, str]) -> None:
        self.document = document
        self.names = names
        declared = document.get("Parameters", {})
        self.parameters = {
            name: str(parameter["Default"]) for name, parameter in declared.items() if "Default" in parameter
        }
        self.parameters.update(parameters)

    def reference(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return ABSENT
        if name == "AWS::StackName":
            return STACK
        if name in self.parameters:
            return self.parameters[name]
        resource, dot, attribute = name.partition(".")
        return "${" + self.names.get(resource, resource) + dot + attribute + "}"

    def holds(self, condition: Any) -> bool:
        match condition:
            case str(name):
                return self.holds(self.document["Conditions"][name])
            case {"Fn::Not": [inner]}:
                return not self.holds(inner)
            case {"Fn::Equals": [left, right]}:
                return str(self.resolve(left)) == str(self.resolve(right))
            case {"Fn::Or": any_of}:
                return any(self.holds(inner) for inner in any_of)
        raise ValueError(f"unknown condition {condition}")

    def resolve(self, value: Any) -> Any:
        match value:
            case {"Ref": str(name)} if len(value) == 1:
                return self.reference(name)
            case {"Fn::GetAtt": [resource, attribute]}:
                return self.reference(f"{resource}.{attribute}")
            case {"Fn::GetAtt": str(name)}:
                return self.reference(name)
            case {"Fn::If": [condition, yes, no]}:
                return self.resolve(yes if self.holds(condition) else no)
            case {"Fn::Join": [separator, parts]}:
                return separator.join(str(self.resolve(part)) for part in parts)
            case {"Fn::Sub": str(text)}:
                return re.sub(r"\$\{([^!}][^}]*)\}", lambda found: str(self.reference(found[1])), text)
            case dict():
                resolved = {key: self.resolve(inner) for key, inner in value.items()}
                return {key: inner for key, inner in resolved.items() if inner is not ABSENT}
            case list():
                resolved = [self.resolve(inner) for inner in value]
                return [inner for inner in resolved if inner is not ABSENT]
            case bool():
                return str(value).lower()
            case int() | float():
                return str(value)
        return value

    def resources(self) -> dict[str, dict[str, Any]]:
        """Returns the resources by their names, each with its type, policies and properties."""
        found = {}
        for name, resource in self.document["Resources"].items():
            if "Condition" in resource and not self.holds(resource["Condition"]):
                continue
            kept = {key: resource[key] for key in ("Type", "DeletionPolicy", "UpdateReplacePolicy") if key in resource}
            kept["Properties"] = self.resolve(resource.get("Properties", {}))
            found[self.names.get(name, name)] = kept
        return found


def cdk_names(document: dict[str, Any]) -> dict[str, str]:
    """Returns the names of the resources by their paths: `STACK/Precip/Bucket/Policy/Resource` is `BucketPolicy`."""
    names = {}
    for name, resource in document["Resources"].items():
        path = resource.get("Metadata", {}).get("aws:cdk:path", name)
        parts = [part for part in path.split("/")[2:] if part != "Resource"] or [name]
        names[name] = "".join("Permission" if part.startswith("AllowEventRule") else part for part in parts)
    assert len(set(names.values())) == len(names), "two resources have one name"
    return names


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def permissions(document: dict[str, Any]) -> set[str]:
    """Returns each permission of a policy: one action on one resource."""
    found = set()
    for statement in as_list(document["Statement"]):
        principal = statement.get("Principal")
        if principal == {"AWS": "*"}:
            principal = "*"
        condition = {
            operator: {key: sorted(as_list(value)) for key, value in keys.items()}
            for operator, keys in statement.get("Condition", {}).items()
        }
        for action in as_list(statement["Action"]):
            for resource in as_list(statement.get("Resource", "-")):
                parts = [statement["Effect"], action, resource, principal, condition or None]
                found.add(" ".join(json.dumps(part, sort_keys=True).strip('"') for part in parts if part))
    return found


def with_permissions(resources: dict[str, dict[str, Any]]) -> None:
    """Replaces the policies of roles, and those of resources, with their permissions."""
    attached = [name for name, resource in resources.items() if resource["Type"] == "AWS::IAM::Policy"]
    for resource in resources.values():
        properties = resource["Properties"]
        if resource["Type"] == "AWS::IAM::Role":
            policies = properties.pop("Policies", [])
            resource["Permissions"] = set().union(*(permissions(policy["PolicyDocument"]) for policy in policies))
            resource["Trust"] = permissions(properties.pop("AssumeRolePolicyDocument"))
        elif "PolicyDocument" in properties and resource["Type"] != "AWS::IAM::Policy":
            resource["Permissions"] = permissions(properties.pop("PolicyDocument"))
    for name in attached:
        policy = resources.pop(name)["Properties"]
        for role in policy["Roles"]:
            resources[role.strip("${}")]["Permissions"] |= permissions(policy["PolicyDocument"])


def flatten(value: Any, path: str = "") -> dict[str, str]:
    """Returns the leaves of a value by their paths. Tags are by key, and sets have their members in the path."""
    match value:
        case set():
            return {f"{path} {member}": "yes" for member in value}
        case [{"Key": _, "Value": _}, *_]:
            return {f"{path}.{tag['Key']}": tag["Value"] for tag in value}
        case dict():
            parts = [flatten(inner, f"{path}.{key}" if path else key) for key, inner in value.items()]
        case list():
            parts = [flatten(inner, f"{path}[{index}]") for index, inner in enumerate(value)]
        case _:
            return {path: str(value)}
    return {key: leaf for part in parts for key, leaf in part.items()}


def compare(sam: dict[str, dict[str, Any]], cdk: dict[str, dict[str, Any]]) -> list[Difference]:
    found = []
    for name in sorted(sam.keys() | cdk.keys()):
        if name not in sam or name not in cdk:
            kinds = [resources[name]["Type"] if name in resources else "-" for resources in (sam, cdk)]
            found.append(Difference(name, "Type", *kinds))
            continue
        left, right = flatten(sam[name]), flatten(cdk[name])
        for path in sorted(left.keys() | right.keys()):
            if left.get(path) != right.get(path):
                found.append(Difference(name, path, left.get(path, "-"), right.get(path, "-")))
    return found


def allows(entry: dict[str, str], difference: Difference) -> bool:
    return all(
        re.fullmatch(entry.get(field, ".*"), getattr(difference, field)) is not None
        for field in ("resource", "property", "sam", "cdk")
    )


def compare_folder(expanded: dict[str, Any], parameters: dict[str, str], folder: Path) -> list[Difference]:
    """Returns the differences between a template with parameters and what the CDK synthesized."""
    declared = expanded["Parameters"]
    unknown = parameters.keys() - declared.keys()
    assert not unknown, f"the template has no parameters {unknown}"
    document = json.loads((folder / f"{STACK}.template.json").read_text())
    sam = Template(expanded, parameters, {}).resources()
    cdk = Template(document, {}, cdk_names(document)).resources()
    for resources in (sam, cdk):
        with_permissions(resources)
    print(f"{folder.name}: {len(sam)} resources of SAM, {len(cdk)} of the CDK")
    return compare(sam, cdk)


def main() -> None:
    template, listed, *folders = map(Path, sys.argv[1:])
    scenarios = json.loads((Path(__file__).parent / "parameters.json").read_text())
    with tempfile.TemporaryDirectory() as work:
        to = Path(work) / "expanded.json"
        checkers.expand(template, to)
        expanded = json.loads(to.read_text())
    differences = [
        difference for folder in folders for difference in compare_folder(expanded, scenarios[folder.name], folder)
    ]
    entries = tomllib.loads(listed.read_text())["difference"]
    wrong = [f"DIFFERS  {found}" for found in differences if not any(allows(entry, found) for entry in entries)]
    wrong += [f"there is no reason in {entry}" for entry in entries if not entry.get("reason")]
    wrong += [
        f"nothing needs the difference, remove it: {entry}"
        for entry in entries
        if not any(allows(entry, found) for found in differences)
    ]
    for line in wrong:
        print(line)
    print(f"{len(differences)} differences, {len(wrong)} of them not intended")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
