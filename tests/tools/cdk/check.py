"""Checks what the CDK app of a project synthesizes against the template that it includes.

check.py TEMPLATE CDK_OUT PROJECT
"""

import json
import re
import sys
from pathlib import Path


def main() -> None:
    source, out, project = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    text = source.read_text()
    stack = json.loads((out / f"{project}-dev.template.json").read_text())
    assets = json.loads((out / f"{project}-dev.assets.json").read_text())["files"]
    resources = stack["Resources"]

    declared = re.findall(r"^  ([A-Za-z0-9]+):\n    Type: (AWS::\S+)$", text, re.MULTILINE)
    declared = [(name, kind) for name, kind in declared if kind.count("::") == 2]
    assert len(declared) > 20, declared
    for name, kind in declared:
        assert resources[name]["Type"] == kind, name
    assert stack["Transform"] == "AWS::Serverless-2016-10-31"
    assert "Function" in stack["Globals"]
    assert stack["Parameters"]["Landing"]["Default"] == f"{project}-landing-dev"
    assert stack["Parameters"]["Stage"]["Default"] == "dev"

    for name, resource in resources.items():
        for kind, field in (("Function", "CodeUri"), ("StateMachine", "DefinitionUri")):
            if resource["Type"] == f"AWS::Serverless::{kind}":
                location = resource["Properties"][field]
                assert set(location) == {"Bucket", "Key"}, (name, location)
                key = location["Key"].split(".")[0]
                assert any(key in asset for asset in assets), (name, location)
    functions = len(re.findall(r"^ *CodeUri:", text, re.MULTILINE))
    machines = len(re.findall(r"^ *DefinitionUri:", text, re.MULTILINE))
    assert functions >= 4 and machines == 2, (functions, machines)


if __name__ == "__main__":
    main()
