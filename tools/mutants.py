"""A table of what ``mutmut run`` found, by module, and every mutant that nothing noticed with what it changed.

    python tools/mutants.py              the table
    python tools/mutants.py --survivors  and the survivors

What the figures mean, and why which of the survivors are left: docs/mutants.md.
"""

import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

MUTMUT = Path(sys.executable).with_name("mutmut")
PACKAGE = "accounting_bridge."
NOTICED = ("killed", "timeout")


def said(*args: str) -> list[str]:
    """What mutmut says, line by line."""
    return subprocess.run([MUTMUT, *args], check=True, capture_output=True, text=True).stdout.splitlines()


def results() -> Mapping[str, str]:
    """Status of every mutant."""
    lines = (line.strip().rpartition(": ") for line in said("results", "--all", "true"))
    return {name: status for name, _, status in lines if name.startswith(PACKAGE)}


def row(name: str, found: Counter[str]) -> str:
    """One line of the table; a timeout is a mutant that hangs, which does not go unnoticed."""
    total, noticed = found.total(), sum(found[status] for status in NOTICED)
    left = total - noticed - found["not checked"]
    checked = total - found["not checked"]
    score = f"{100 * noticed / checked:.1f} %" if checked else "not run"
    return f"| {name} | {checked} | {found['killed']} | {found['timeout']} | {left} | {score} |"


def changed(mutant: str) -> list[str]:
    """The lines that differ."""
    diff = [line for line in said("show", mutant) if line[:1] in "+-" and not line.startswith(("+++", "---"))]
    return [f"    {line[0]} {line[1:].strip()}" for line in diff]


def main() -> None:
    """Print it."""
    status = results()
    modules: dict[str, Counter[str]] = {}
    for mutant, found in status.items():
        module = mutant.rpartition(".")[0].removeprefix(PACKAGE)
        modules.setdefault(module, Counter())[found] += 1
    print("| Module | Mutants | Killed | Timeouts | Survived | Score |\n|---|---|---|---|---|---|")
    for module in sorted(modules):
        print(row(f"`{module}`", modules[module]))
    print(row("**all**", sum(modules.values(), Counter())))
    if "--survivors" in sys.argv:
        for mutant, found in status.items():
            if found not in {*NOTICED, "not checked"}:
                print(f"\n{mutant}: {found}", *changed(mutant), sep="\n")


if __name__ == "__main__":
    main()
