"""What the scripts of this folder share: virtual environments of their own, and the least time of some runs."""

import os
import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def environment(name, needs):
    """The interpreter of an environment in target, made if it is not there, with these packages."""
    place = ROOT / "target" / name
    python = place / "bin" / "python"
    if not python.exists():
        venv.create(place, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *needs], check=True)
    return python


def enter(name, needs):
    """Starts the script again inside such an environment, with `--inside` before its arguments."""
    python = environment(name, needs)
    os.execv(python, [str(python), sys.argv[0], "--inside", *sys.argv[1:]])


def least(work, runs=3):
    """The least seconds of some runs."""
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)
