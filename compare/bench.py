"""Measure thinnet side by side with its peers, into docs/performance.json. `cargo xtask bench` sets up and calls it."""

import argparse
import datetime
import importlib.metadata
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict

import peer
import report
from measure import Others, Ratio, Times, Trainer, in_turns, limit_to_cores

HERE = pathlib.Path(__file__).parent
DOCS = HERE.parent / "docs"

NETS = [[3072, 500, 10], [3072, 1024, 1024, 10], [3072, 500, 500, 500, 500, 10]]
BATCHES = [100, 500]
KEEPS = [0.25, 0.5, 0.75, 1.0]
SETTINGS = {
    "pytorch": ["eager-f32", "compile-f32", "eager-bf16", "compile-bf16"],
    "jax": ["jit"],
    "sklearn": ["f32"],
    "numpy": ["f32"],
    "burn": ["flex"],
    "candle": ["f32"],
}
PYTHON_PACKAGES = ["numpy", "torch", "jax", "optax", "scikit-learn"]

Results = dict[str, object]


def commands(args: argparse.Namespace) -> dict[str, list[str]]:
    """The command of each peer."""
    found = {name: [sys.executable, str(HERE / f"peer_{name}.py")] for name in ("pytorch", "jax", "sklearn", "numpy")}
    found |= {name: [str(getattr(args, name))] for name in ("burn", "candle") if getattr(args, name)}
    return {name: command for name, command in found.items() if not args.peers or name in args.peers}


def measure_steps(args: argparse.Namespace, keep_result: Callable[[Results], None]) -> None:
    """The training step: ours and one peer's alternately, for every network, batch, keep probability and setting."""
    ours = (
        Trainer("thinnet", [args.thinnet, "bench", "--serve", "--threads", str(peer.THREADS)]) if args.thinnet else None
    )
    for name, command in commands(args).items():
        theirs = Trainer(name, command)
        for setting in SETTINGS[name]:
            for net in args.nets:
                for batch in args.batches:
                    for keep in args.keeps:
                        if name == "sklearn" and keep < 1:
                            continue  # it has no dropout
                        measured = measure_pair(ours, theirs, peer.Work(net, batch, keep, setting), args)
                        keep_result({"peer": name, **measured})
        theirs.close()
    if ours:
        ours.close()


def measure_pair(ours: Trainer | None, theirs: Trainer, work: peer.Work, args: argparse.Namespace) -> Results:
    theirs.prepare(work)
    if ours:
        ours.prepare(peer.Work(work.net, work.batch, work.keep, "auto"))
    trainers = [t for t in (theirs, ours) if t]
    others = Others(trainers)
    turns = in_turns(trainers, args.rounds, args.steps)
    result: Results = {**asdict(work), "peer_ms": asdict(Times.of(turns[0])), "others": others.share()}
    if ours:
        middles = [[statistics.median(turn) for turn in trainer] for trainer in turns]
        result |= {"thinnet_ms": asdict(Times.of(turns[1])), "ratio": asdict(Ratio.of(*middles))}
    print(report.line(theirs.name, result), flush=True)
    return result


def experiment_programs(args: argparse.Namespace, folder: pathlib.Path) -> dict[str, list[str]]:
    """The programs to run whole, by name and number type; each writes into its own folder."""
    thinnet = [args.thinnet, "experiment", "--threads", str(peer.THREADS), "--dtype"]
    numpy = [sys.executable, str(HERE / "numpy_experiment.py"), "--dtype"]
    programs = {}
    for dtype in ("f32", "f64"):
        if args.thinnet:
            programs[f"thinnet {dtype}"] = [*thinnet, dtype, "--out", str(folder / f"thinnet-{dtype}")]
        programs[f"numpy {dtype}"] = [*numpy, dtype, "--out", str(folder / f"numpy-{dtype}")]
    programs["pytorch f32"] = [sys.executable, str(HERE / "pytorch_experiment.py"), "--out", str(folder / "pytorch")]
    programs["pytorch import"] = [sys.executable, "-c", "import torch"]
    return programs


def measure_experiment(args: argparse.Namespace) -> Results:
    """The course's whole experiment, from process start until the plot or report is written; programs alternate."""
    with tempfile.TemporaryDirectory() as folder:
        programs = experiment_programs(args, pathlib.Path(folder))
        seconds: dict[str, list[float]] = {name: [] for name in programs}
        for i in range(args.experiment_rounds + 1):
            for name, command in programs.items():
                start = time.perf_counter()
                subprocess.run(command, check=True, capture_output=True)
                if i > 0:  # the first round brings files and byte code into memory
                    seconds[name].append(time.perf_counter() - start)
    results: Results = {}
    for name, times in seconds.items():
        result: Results = {"seconds": round(statistics.median(times), 3), "least": round(min(times), 3)}
        ours = seconds.get(f"thinnet {name.split()[1]}")
        if ours and not name.startswith("thinnet"):
            result["ratio"] = asdict(Ratio.of(times, ours))
        results[name] = result
        print(f"experiment, {name}: {result}", flush=True)
    return results


def measure_gradient_check(args: argparse.Namespace) -> dict[str, Results]:
    """The check of all parameters of the course's small network, as often as the experiment."""
    programs = {"numpy": [sys.executable, str(HERE / "numpy_gradient_check.py")]}
    if args.gradient_check:
        programs["thinnet"] = [args.gradient_check, "--json", str(peer.THREADS)]
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    results: dict[str, Results] = {}
    for _ in range(args.experiment_rounds):
        for name, command in programs.items():
            answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            seconds[name].append(answer.pop("seconds"))
            results[name] = answer
    for name, times in seconds.items():
        results[name] = {"seconds": statistics.median(times), **results[name]}
    if args.gradient_check:
        results["ratio"] = asdict(Ratio.of(seconds["numpy"], seconds["thinnet"]))
    print(f"gradient check: {results}", flush=True)
    return results


def machine() -> Results:
    """The machine that the figures were measured on."""
    cpu: dict[str, str] = {}
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        cpu.setdefault(key.strip(), value.strip())
    flags = cpu.get("flags", "").split()
    wanted = ("avx2", "fma", "avx512f", "avx512_bf16", "amx_tile", "amx_bf16")
    return {
        "cpu": cpu.get("model name", platform.processor()),
        "family_model": f"{cpu.get('cpu family')}/{cpu.get('model')}",
        "flags": [flag for flag in wanted if flag in flags],
        "cores": os.cpu_count(),
        "threads": peer.THREADS,
        "system": f"{platform.system()} {platform.machine()}",
        "date": datetime.date.today().isoformat(),
    }


def versions() -> Results:
    found: Results = {"python": platform.python_version()}
    found |= {package: importlib.metadata.version(package) for package in PYTHON_PACKAGES}
    for crate in ("burn", "candle-nn"):
        lock = (HERE / crate.split("-")[0] / "Cargo.lock").read_text()
        found[crate] = lock.split(f'name = "{crate}"\nversion = "')[1].split('"')[0]
    return found


def net(text: str) -> list[int]:
    """'500,500' -> [3072, 500, 500, 10]."""
    return [3072, *(int(size) for size in text.split(",")), 10]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="cargo xtask bench", description=__doc__)
    whats = ["step", "experiment", "gradient-check", "report"]
    parser.add_argument(
        "what", nargs="*", default=whats, help=f"what to measure, of {', '.join(whats)}; all by default"
    )
    parser.add_argument("--thinnet", help="our program; without it only the peers are measured")
    parser.add_argument("--gradient-check", help="our timed gradient check")
    parser.add_argument("--burn", help="burn's program")
    parser.add_argument("--candle", help="candle's program")
    parser.add_argument(
        "--json", type=pathlib.Path, default=DOCS / "performance.json", help="file of results, which is added to"
    )
    parser.add_argument("--peers", nargs="+", choices=SETTINGS, help="the peers to measure")
    parser.add_argument(
        "--nets", nargs="+", type=net, default=NETS, metavar="HIDDEN", help="hidden sizes, e.g. 500,500"
    )
    parser.add_argument("--batches", nargs="+", type=int, default=BATCHES)
    parser.add_argument("--keeps", nargs="+", type=float, default=KEEPS, help="probabilities to keep a unit")
    parser.add_argument("--rounds", type=int, default=11, help="turns of each process")
    parser.add_argument("--steps", type=int, default=7, help="measured steps per turn")
    parser.add_argument("--experiment-rounds", type=int, default=5)
    args = parser.parse_args()
    if unknown := set(args.what) - set(whats):
        parser.error(f"cannot measure {', '.join(unknown)}; choose from {', '.join(whats)}")
    return args


def main() -> None:
    args = arguments()
    limit_to_cores(peer.THREADS)
    results = json.loads(args.json.read_text()) if args.json.exists() else {"steps": []}

    def save() -> None:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        results.update({"machine": machine(), "versions": versions()})
        args.json.write_text(json.dumps(results, indent=1) + "\n")

    def keep_step(result: Results) -> None:
        key = ("peer", "setting", "net", "batch", "keep")
        others = [old for old in results["steps"] if any(old[k] != result[k] for k in key)]
        results["steps"] = [*others, result]
        save()

    if "step" in args.what:
        measure_steps(args, keep_step)
    if "experiment" in args.what:
        results["experiment"] = measure_experiment(args)
        save()
    if "gradient-check" in args.what:
        results["gradient_check"] = measure_gradient_check(args)
        save()
    if "report" in args.what:
        if not args.json.exists():
            raise SystemExit(f"there are no results in {args.json} to report; measure first")
        report.write(results, args.json.parent)


if __name__ == "__main__":
    main()
