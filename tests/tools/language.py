#!/usr/bin/env python3
"""Prints how the code reads: the figures that CONTRIBUTING.md sets limits for.

    tests/tools/language.py            every Rust file that git tracks
    tests/tools/language.py FOLDER..   those below some folders

Ends with 1 if a figure is beyond its limit or a phrase that CONTRIBUTING.md rules out occurs.
"""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Phrases that read as translated, in comments, documentation and messages.
RULED_OUT = re.compile(
    r"\b(puts? down|(is|are|was|were|be|being) told|told of|tells of|stands (in|for|beside|there|at|on)|whoever"
    r"|who has to|nobody|for ever|comes of|hangs on|goes on once|it cannot be told)\b",
    re.IGNORECASE,
)
PROSE = re.compile(r"^\s*//|^\s*#\[doc|\"[^\"]* [^\"]* [^\"]*\"")
FUNCTION = re.compile(r"^\s*(?:pub(?:\([^)]*\))?\s+)?(?:(?:const|async|unsafe|extern(?: \"C\")?)\s+)*fn\s+(?:r#)?(\w+)")
SUMMARY = re.compile(r"^\s*//[/!]\s*(\S.*)")
SHADOW = re.compile(r"^\s*let (?:mut )?(\w+)(?:: [^=]+)? = \1[.?]")


@dataclass
class Figures:
    lines: int = 0
    summaries: int = 0
    questions: int = 0
    functions: int = 0
    single: int = 0
    body: int = 0
    comments: int = 0
    shadowed: int = 0

    def add(self, text: str) -> None:
        lines = text.split("\n")
        self.lines += len(lines)
        documented = False
        ends: list[str] = []  # indentation of the functions that are open
        for line in lines:
            summary = SUMMARY.match(line)
            if summary and not documented:
                self.summaries += 1
                self.questions += bool(re.match(r"(What|How|Whether|Who|Whose)\b", summary[1]))
            documented = bool(re.match(r"\s*//[/!]", line))
            if ends and line.strip():
                if line.startswith(ends[-1] + "}"):
                    ends.pop()
                elif not documented:
                    self.body += 1
                    self.comments += line.lstrip().startswith("//")
            self.shadowed += bool(SHADOW.match(line))
            function = FUNCTION.match(line)
            if function:
                self.functions += 1
                self.single += "_" not in function[1]
            # A signature may take several lines; its body ends where a brace has its indentation.
            if function and not line.rstrip().endswith((";", "}")):
                ends.append(line[: len(line) - len(line.lstrip())])


def front_page() -> int:
    """Returns the number of lines of the page that opens the documentation of the crate `precip`."""
    crate = ROOT / "shared/precip"
    text = (crate / "src/lib.rs").read_text()
    included = re.findall(r"^#!\[doc = include_str!\(\"([^\"]+)\"\)\]", text, re.M)
    lines = sum(len((crate / "src" / name).read_text().splitlines()) for name in included)
    return lines + len(re.findall(r"^//!", text, re.M))


def main() -> int:
    folders = sys.argv[1:] or ["."]
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *folders],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\n")
    figures = Figures()
    phrases = []
    for name in listed:
        path = ROOT / name
        if not path.is_file() or path.suffix not in (".rs", ".md") or "snapshots" in path.parts:
            continue
        text = path.read_text()
        for number, line in enumerate(text.split("\n"), 1):
            prose = path.suffix == ".md" or PROSE.search(line)
            # The list of phrases itself is in CONTRIBUTING.md.
            if prose and path.name != "CONTRIBUTING.md" and RULED_OUT.search(line):
                phrases.append(f"{name}:{number}: {line.strip()}")
        if path.suffix == ".rs":
            figures.add(text)

    questions = figures.questions / max(figures.summaries, 1) * 100
    rows = [
        ("doc summaries that open with What, How, Whether or Who", questions, "%", 3, max),
        ("function names of one word", figures.single / max(figures.functions, 1) * 100, "%", 40, max),
        ("comment lines inside function bodies", figures.comments / max(figures.body, 1) * 100, "%", 2.6, min),
        ("`let x = x..` per 1,000 lines", figures.shadowed / max(figures.lines, 1) * 1000, "", 2.2, max),
        ("lines on the front page of the documentation", front_page(), "", 300, min),
    ]
    failed = bool(phrases)
    print(f"{'':56}{'here':>8}{'limit':>12}")
    for label, value, unit, limit, kind in rows:
        within = value <= limit if kind is max else value >= limit
        failed |= not within
        word = "at most" if kind is max else "at least"
        print(f"{label:56}{value:>7.1f}{unit or ' '}{word + ' ' + format(limit, 'g'):>13}{'' if within else '  <-'}")
    for phrase in phrases[:40]:
        print(phrase)
    print(f"{len(phrases)} phrases that CONTRIBUTING.md rules out")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
