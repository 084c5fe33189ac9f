"""Dagster in a virtual environment of its own, to be measured next to Precip."""

import os
import pathlib
import subprocess
import sys
import venv

VERSION = "1.13.28"


def cache():
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "precip"


def install():
    """Returns the folder of the virtual environment's programs."""
    folder = cache() / f"dagster-{VERSION}"
    programs = folder / "bin"
    if not (programs / "dagster-daemon").exists():
        print(f"installing Dagster {VERSION} ...", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([programs / "pip", "install", "--quiet", f"dagster=={VERSION}"], check=True)
    return programs
