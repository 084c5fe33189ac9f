"""The public checkers, each as a function from files to findings."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

BIN = Path(sys.executable).parent

# It warns about metrics that the template does not use.
logging.getLogger("samtranslator").setLevel(logging.ERROR)


@dataclass(frozen=True, order=True)
class Finding:
    """A finding of a checker: its rule, its subject and its message."""

    checker: str
    rule: str
    about: str
    message: str

    def __str__(self) -> str:
        return f"{self.checker} {self.rule}: {self.about}: {self.message}"


def run(command: list[str], **options) -> subprocess.CompletedProcess[str]:
    """Runs a checker, which reports findings on stdout and its own failures on stderr."""
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


# ---- state machines -------------------------------------------------------------------------


def fill_placeholders(definition: str) -> str:
    """Returns a definition with a value in place of each placeholder."""

    def value_of(name: re.Match[str]) -> str:
        if name[1].endswith("Arn") or "FunctionArn" in name[1]:
            return f"arn:aws:lambda:us-east-1:123456789012:function:{name[1]}"
        return "aws" if name[1] == "Partition" else "a-bucket"

    return re.sub(r"\$\{(\w+)\}", value_of, definition)


def asl_validator(folder: Path, work: Path) -> list[Finding]:
    """Runs npm's asl-validator on every state machine."""
    findings = []
    for path in sorted((folder / "statemachine").glob("*.asl.json")):
        copy = work / path.name
        copy.write_text(fill_placeholders(path.read_text()))
        done = run(["node", os.environ["ASL_VALIDATOR"], "--json-path", str(copy)])
        if done.returncode != 0:
            said = (done.stdout + done.stderr).replace(str(copy), path.name).strip()
            findings.append(Finding("asl-validator", rule_in(said), path.name, said))
    return findings


def rule_in(said: str) -> str:
    named = re.search(r"\b[A-Z]+(?:_[A-Z]+)+\b", said)
    return named[0] if named else "invalid"


# ---- templates ------------------------------------------------------------------------------


class ExpansionError(Exception):
    """The SAM translator refuses a template."""


def expand(template: Path, to: Path) -> None:
    """Writes the CloudFormation template that a SAM template expands to."""
    from samtranslator.public.exceptions import InvalidDocumentException
    from samtranslator.translator.transform import transform
    from samtranslator.yaml_helper import yaml_parse

    document = yaml_parse(template.read_text())
    for resource in document["Resources"].values():
        properties = resource.get("Properties", {})
        # Files of this machine are uploaded before CloudFormation sees the template.
        for key in ("CodeUri", "DefinitionUri"):
            if isinstance(properties.get(key), str):
                properties[key] = "s3://a-bucket/a-key"
    try:
        expanded = transform(document, {}, NoManagedPolicies())
    except InvalidDocumentException as refused:
        raise ExpansionError("; ".join(cause.message for cause in refused.causes)) from refused
    to.write_text(json.dumps(expanded, indent=2))


class NoManagedPolicies:
    """A source of managed policies, which the template does not use."""

    def load(self) -> dict[str, str]:
        return {}


def cfn_lint(template: Path) -> list[Finding]:
    """Runs cfn-lint with all its rules, informational ones included."""
    done = run([str(BIN / "cfn-lint"), "--format", "json", "--include-checks", "I", "--", str(template)])
    if done.returncode & 1 or (done.returncode and not done.stdout.strip()):
        raise RuntimeError(f"cfn-lint broke on {template}: {done.stderr}{done.stdout}")
    return [
        Finding(
            "cfn-lint",
            found["Rule"]["Id"],
            "/".join(str(part) for part in found["Location"]["Path"] or []) or template.name,
            found["Message"],
        )
        for found in json.loads(done.stdout or "[]")
    ]


def checkov(template: Path) -> list[Finding]:
    """Runs checkov's policies on a template."""
    done = run(
        [
            str(BIN / "checkov"),
            "--file",
            str(template),
            "--framework",
            "cloudformation",
            "--skip-download",
            "--compact",
            "--quiet",
            "--output",
            "json",
        ]
    )
    try:
        report = json.loads(done.stdout)
    except json.JSONDecodeError as error:
        raise RuntimeError(f"checkov broke on {template}: {done.stderr}{done.stdout}") from error
    if "results" not in report:
        raise RuntimeError(f"checkov read nothing of {template}: {done.stdout}")
    return [
        Finding("checkov", found["check_id"], found["resource"], found["check_name"])
        for found in report["results"]["failed_checks"]
    ]


# ---- the project itself ---------------------------------------------------------------------


def drift(folder: Path) -> list[Finding]:
    """Runs `synth --check` of the project: the files are what the definitions give, and our own checks
    find nothing in them."""
    command = [os.environ["PROJECT"], "--env", "prod", "synth", "--check"]
    done = run(command, cwd=folder.resolve().parent.parent)
    if done.returncode == 0:
        return []
    if done.returncode == 1:
        return [Finding("synth", "drift", str(folder), done.stderr.strip())]
    raise RuntimeError(f"synth broke on {folder}: {done.stderr}")


def everything(folder: Path, work: Path) -> list[Finding]:
    """Runs all checkers on a folder of generated files. `work` is a folder for their inputs."""
    template, expanded = folder / "template.yaml", work / "expanded.json"
    findings = drift(folder) + asl_validator(folder, work)
    templates = [template]
    try:
        expand(template, expanded)
        templates.append(expanded)
    except ExpansionError as refused:
        findings.append(Finding("sam-translator", "invalid", template.name, str(refused)))
    with ThreadPoolExecutor() as pool:
        asked = [pool.submit(ask, file) for file in templates for ask in (checkov, cfn_lint)]
        for answer in asked:
            findings += answer.result()
    return sorted(set(findings))
