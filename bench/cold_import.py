"""Cold start of each function's package: what a fresh interpreter takes to import its entry file.

Times differ from machine to machine, so each is given as a ratio to a bare interpreter of the same minute.

    PYTHONPATH=.:contract .venvs/app/bin/python bench/cold_import.py
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from stack.packaging import FUNCTIONS, build_function

NOWHERE = {"DATABASE_URL": "postgresql://nowhere.invalid/d", "BROKER_URL": "redis://nowhere.invalid/0"}
BARE = "bare interpreter"


def started_s(code: str, folder: Path | None) -> float:
    """Run code in a fresh interpreter and give the seconds until it has ended."""
    environment = {"PATH": os.environ["PATH"], **NOWHERE}
    if folder is not None:
        environment["PYTHONPATH"] = str(folder)
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-S", "-c", code], env=environment, check=True)  # noqa: S603 - our own words
    return time.perf_counter() - begun


def main() -> None:
    """Measure in turns, so that a busy moment falls on all alike, and print the medians."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    folders: dict[str, Path | None] = {BARE: None, **{name: build_function(name) for name in FUNCTIONS}}
    times: dict[str, list[float]] = {name: [] for name in folders}
    for _ in range(runs):
        for name, folder in folders.items():
            times[name].append(started_s("pass" if folder is None else "import app", folder))
    bare_s = statistics.median(times[BARE])
    for name, measured in times.items():
        median_s = statistics.median(measured)
        print(f"{name:17} {median_s * 1000:6.0f} ms  {median_s / bare_s:5.1f} x bare  (median of {runs})")
    print("repeat: PYTHONPATH=.:contract .venvs/app/bin/python bench/cold_import.py")


if __name__ == "__main__":
    main()
