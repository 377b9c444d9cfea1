"""Compare thinnet's scikit-learn classes with scikit-learn's own and skorch on PyTorch, alternately, in new
processes.

    cargo xtask bench estimators            # builds the wheel and an environment of each, then runs this

Accuracy: the same data and settings without dropout, over several seeds; both should agree within the spread. Speed:
seconds per epoch on MNIST, the time of three epochs minus the time of one, so that start-up does not count. Memory:
the peak of a process that fits. Size: what pip installs in addition to NumPy and scikit-learn.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
from typing import Any

Result = dict[str, Any]

ROOT = pathlib.Path(__file__).parent
# What the table's page in the book begins with.
HEAD = """# Beside scikit-learn and skorch

After this page you know the accuracy, time and memory of thinnet's Python classes beside those of scikit-learn and
skorch. [The Python package](python.md#speed-and-size) says how they were measured.
"""
DATA_SETS = ("digits", "breast_cancer", "wine", "housing", "mnist")
# Samples per batch, hidden units: scikit-learn's defaults, except for the hidden layer.
SPEED = {"data": "mnist", "hidden": 512, "batch": 200}


class Libraries:
    """The environments' interpreters, and what each one measures."""

    def __init__(self, thinnet: str, skorch: str | None) -> None:
        self.interpreters = {"thinnet": thinnet, "sklearn": thinnet, "skorch": skorch or ""}

    def fit(self, library: str, **settings: object) -> Result:
        """Fit in a new process, and return its results."""
        command = [self.interpreters[library], str(ROOT / "estimator.py"), library, json.dumps(settings)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{library} failed with {settings}:\n{done.stderr}")
        answer: Result = json.loads(done.stdout.splitlines()[-1])
        return answer

    def installed(self, library: str) -> float:
        """MB of the packages that the library needs beyond NumPy, SciPy and scikit-learn."""
        return float(self.fit(library, size=True)["megabytes"])


def accuracy(libraries: Libraries, data: str, seeds: int) -> Result:
    """Mean and standard deviation of the test score over seeds, for both."""
    settings = {"data": data, "hidden": 512 if data == "mnist" else 100, "epochs": 5 if data == "mnist" else 200}
    row: Result = {"data": data}
    for library in ("thinnet", "sklearn"):
        scores = [libraries.fit(library, seed=seed, **settings)["score"] for seed in range(seeds)]
        row[library] = {"mean": statistics.mean(scores), "sd": statistics.stdev(scores), "seeds": seeds}
    ours, theirs = row["thinnet"], row["sklearn"]
    # The difference of two means over this many seeds, in its own standard deviations.
    spread = ((ours["sd"] ** 2 + theirs["sd"] ** 2) / seeds) ** 0.5
    row["difference_in_sd"] = (ours["mean"] - theirs["mean"]) / spread if spread else 0.0
    return row


def speed(libraries: Libraries, other: str, dropout: float, rounds: int) -> Result:
    """Seconds per epoch, measured alternately; the ratio is taken pair by pair."""
    times: dict[str, list[float]] = {"thinnet": [], other: []}
    memory = dict.fromkeys(times, 0.0)
    for i in range(rounds):
        for library in list(times) if i % 2 == 0 else reversed(list(times)):
            long, short = (libraries.fit(library, dropout=dropout, epochs=epochs, **SPEED) for epochs in (3, 1))
            times[library].append((long["seconds"] - short["seconds"]) / 2)
            memory[library] = max(memory[library], long["megabytes"])
    ratios = [theirs / ours for theirs, ours in zip(times[other], times["thinnet"], strict=True)]
    return {
        "other": other,
        "dropout": dropout,
        "seconds": {library: statistics.median(taken) for library, taken in times.items()},
        "megabytes": memory,
        "ratio": statistics.median(ratios),
        "ratios": sorted(ratios),
    }


def table(found: Result) -> str:
    """The results in Markdown."""
    lines = [HEAD, "| data | thinnet | scikit-learn | difference |", "|---|---|---|---|"]
    for row in found["accuracy"]:
        cells = [f"{100 * row[name]['mean']:.2f} ± {100 * row[name]['sd']:.2f}" for name in ("thinnet", "sklearn")]
        lines.append(f"| {row['data']} | {cells[0]} | {cells[1]} | {row['difference_in_sd']:+.1f} sd |")
    lines += [
        "",
        "| an epoch of MNIST | dropout | thinnet, s | other, s | ratio | peak memory, MB |",
        "|---|---|---|---|---|---|",
    ]
    for row in found["speed"]:
        ours, other = row["seconds"]["thinnet"], row["seconds"][row["other"]]
        memory = f"{row['megabytes']['thinnet']:.0f} / {row['megabytes'][row['other']]:.0f}"
        lines.append(
            f"| {row['other']} | {row['dropout']:g} | {ours:.2f} | {other:.2f} | {row['ratio']:.1f} | {memory} |"
        )
    lines += ["", "| installed, MB | |", "|---|---|"]
    lines += [f"| {library} | {megabytes:.1f} |" for library, megabytes in found["installed"].items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable, help="an interpreter that has thinnet")
    parser.add_argument("--skorch", help="an interpreter that has skorch and PyTorch")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--data-sets", nargs="*", default=list(DATA_SETS))
    parser.add_argument("--out", type=pathlib.Path, default=ROOT.parent / "docs")
    args = parser.parse_args()
    libraries = Libraries(args.python, args.skorch)
    found: Result = {"accuracy": [], "speed": [], "installed": {}}
    others = [("sklearn", 0.0)] + ([("skorch", 0.0), ("skorch", 0.5)] if args.skorch else [])
    for other, dropout in others:
        found["speed"].append(speed(libraries, other, dropout, args.rounds))
        print(json.dumps(found["speed"][-1]), flush=True)
    for data in args.data_sets:
        found["accuracy"].append(accuracy(libraries, data, 3 if data == "mnist" else args.seeds))
        print(json.dumps(found["accuracy"][-1]), flush=True)
    for library in ("thinnet", "skorch") if args.skorch else ("thinnet",):
        found["installed"][library] = libraries.installed(library)
    (args.out / "estimators.json").write_text(json.dumps(found, indent=1) + "\n")
    (args.out / "estimators-table.md").write_text(table(found))
    print(table(found))


if __name__ == "__main__":
    main()
