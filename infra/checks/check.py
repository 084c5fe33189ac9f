"""Checks a folder of generated files: `check.py FOLDER`. See tests/suites/infra.

Ends with 1 when a finding is not in exceptions.toml, when an exception has no finding, or when a
mistake of broken.toml passes its checker.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import checkers
from checkers import Finding

HERE = Path(__file__).parent


def say(line: str) -> None:
    print(line, flush=True)


def read_tables(name: str, key: str) -> list[dict[str, str]]:
    return tomllib.loads((HERE / name).read_text())[key]


def matches(exception: dict[str, str], finding: Finding) -> bool:
    about = exception.get("about", ".*")
    # checkov names a resource by its type and id.
    name = finding.about.rsplit(".", 1)[-1] if finding.checker == "checkov" else finding.about
    return (
        exception["checker"] == finding.checker
        and exception["rule"] == finding.rule
        and re.fullmatch(about, name) is not None
    )


def check_generated(folder: Path) -> int:
    """Runs all checkers on the generated files, and returns the number of mistakes."""
    with tempfile.TemporaryDirectory() as work:
        findings = checkers.everything(folder, Path(work))
    exceptions = read_tables("exceptions.toml", "exception")
    wrong = 0
    for finding in findings:
        if not any(matches(exception, finding) for exception in exceptions):
            say(f"FOUND  {finding}")
            wrong += 1
    for exception in exceptions:
        if not exception.get("reason"):
            say(f"FOUND  the exception for {exception['rule']} has no reason")
            wrong += 1
        if not any(matches(exception, finding) for finding in findings):
            about = exception.get("about", "anything")
            say(f"FOUND  nothing needs the exception for {exception['rule']} of {about}: remove it")
            wrong += 1
    say(f"{len(findings)} findings, {len(findings) - wrong} of them intended")
    return wrong


def check_both_forms(folder: Path, work: Path, checker: Callable[[Path], list[Finding]]) -> Iterator[Finding]:
    """Yields the findings of a checker in a template, and in its expanded form."""
    template, expanded = folder / "template.yaml", work / "expanded.json"
    yield from checker(template)
    try:
        checkers.expand(template, expanded)
    except checkers.ExpansionError:
        return
    yield from checker(expanded)


def translator(folder: Path, work: Path) -> list[Finding]:
    try:
        checkers.expand(folder / "template.yaml", work / "expanded.json")
    except checkers.ExpansionError as refused:
        return [Finding("sam-translator", "invalid", "template.yaml", str(refused))]
    return []


CHECKERS: dict[str, Callable[[Path, Path], Iterable[Finding]]] = {
    "asl-validator": checkers.asl_validator,
    "sam-translator": translator,
    "cfn-lint": lambda folder, work: check_both_forms(folder, work, checkers.cfn_lint),
    "checkov": lambda folder, work: check_both_forms(folder, work, checkers.checkov),
    "synth": lambda folder, _: checkers.drift(folder),
}


def is_caught(broken: dict[str, str], folder: Path) -> bool:
    """Makes a mistake in a copy of the folder, and returns whether its checker finds it."""
    with tempfile.TemporaryDirectory() as root:
        copy, work = Path(root) / "infra/generated", Path(root) / "work"
        shutil.copytree(folder, copy)
        work.mkdir()
        file = copy / broken["file"]
        text, count = re.subn(broken["find"], lambda _: broken["by"], file.read_text(), count=1)
        if count == 0:
            say(f'FOUND  there is nothing to break for "{broken["what"]}": correct `find`')
            return False
        file.write_text(text)
        found = set()
        for finding in CHECKERS[broken["checker"]](copy, work):
            if finding.rule == broken["rule"]:
                return True
            found.add(finding.rule)
    found = sorted(found)
    say(f"FOUND  {broken['checker']} does not catch {broken['what']} ({broken['rule']}); it says {found}")
    return False


def check_broken(folder: Path) -> int:
    """Shows that each checker can fail, and returns the number of mistakes that were not caught."""
    broken = read_tables("broken.toml", "broken")
    with ThreadPoolExecutor() as pool:
        caught = list(pool.map(lambda one: is_caught(one, folder), broken))
    missing = set(CHECKERS) - {one["checker"] for one in broken}
    for checker in sorted(missing):
        say(f"FOUND  nothing shows that {checker} can fail")
    say(f"{sum(caught)} of {len(caught)} mistakes caught")
    return len(caught) - sum(caught) + len(missing)


def main() -> int:
    folder = Path(sys.argv[1])
    say("generated files")
    wrong = check_generated(folder)
    say("mistakes on purpose")
    wrong += check_broken(folder)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
