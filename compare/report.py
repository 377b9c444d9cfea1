"""Make a Markdown table, a plot of step time over keep probability, and a bar chart from docs/performance.json."""

import pathlib
from typing import Any

# Parts of the JSON file, in the form that bench.py writes.
Entry = dict[str, Any]

NAMES = {
    "pytorch f32": "PyTorch, best f32",
    "pytorch bf16": "PyTorch, best bf16",
    "jax": "JAX",
    "numpy": "NumPy",
    "sklearn": "scikit-learn",
    "burn": "burn",
    "candle": "candle",
}
# What the table's page in the book begins with.
HEAD = """# Every library, net and batch

After this page you know the time of a training step of every library that was measured, and how many times faster
thinnet is. [Performance](performance.md) says what the figures mean.
"""
# If others used more than this share of the machine, a measurement means little: libraries with spinning threads lose
# most.
BUSY = 0.05
# The network, batch and keep probability of the bar chart.
BARS = ("3072-500-10", 100, 0.5)
# Okabe and Ito's colours, which colour-blind people can distinguish; each also has a marker.
STYLES = {"pytorch f32": ("#0072B2", "s"), "pytorch bf16": ("#56B4E9", "^"), "thinnet": ("#D55E00", "o")}


def line(name: str, entry: Entry) -> str:
    """One measurement as a line of progress."""
    text = f"{shape(entry)}, batch {entry['batch']}, keep {entry['keep']:g}: {name} {entry['setting']}"
    text += f" {entry['peer_ms']['median']:.2f} ms (min {entry['peer_ms']['least']:.2f})"
    if "ratio" in entry:
        ours, ratio = entry["thinnet_ms"], entry["ratio"]
        text += f", thinnet {ours['median']:.2f} ms (min {ours['least']:.2f})"
        text += f": {ratio['median']:.2f}x ({ratio['lower']:.2f} to {ratio['upper']:.2f})"
    if entry["others"] > BUSY:
        text += f" - unfair: others used {entry['others']:.0%} of the machine"
    return text


def shape(entry: Entry) -> str:
    """The network in short form: 3072-500-500-10 is 3072-500x2-10 if all hidden sizes are equal."""
    first, *hidden, last = entry["net"]
    if len(hidden) > 2 and len(set(hidden)) == 1:
        return f"{first}-{hidden[0]}x{len(hidden)}-{last}"
    return "-".join(map(str, entry["net"]))


def column(entry: Entry) -> str:
    """The name in NAMES for a measurement; only the best of several settings is shown."""
    if entry["peer"] == "pytorch":
        return f"pytorch {entry['setting'].split('-')[1]}"
    return str(entry["peer"])


def cost(entry: Entry) -> float:
    """The value for comparing settings: the ratio to our time, measured in the same minutes, or else milliseconds."""
    return float(entry["ratio"]["median"] if "ratio" in entry else entry["peer_ms"]["median"])


def best(steps: list[Entry]) -> dict[tuple[str, int, float], dict[str, Entry]]:
    """For each (network, batch, keep) and each name in NAMES the peer's fastest setting."""
    found: dict[tuple[str, int, float], dict[str, Entry]] = {}
    for entry in sorted(steps, key=lambda entry: (len(entry["net"]), entry["net"], entry["batch"], entry["keep"])):
        columns = found.setdefault((shape(entry), entry["batch"], entry["keep"]), {})
        name = column(entry)
        if name not in columns or cost(entry) < cost(columns[name]):
            columns[name] = entry
    return found


def step_table(steps: list[Entry]) -> str:
    """One row per network, batch and keep probability, one column per peer."""
    rows = [
        "| net | batch | keep | thinnet, ms | " + " | ".join(NAMES.values()) + " |",
        "|---" * (4 + len(NAMES)) + "|",
    ]
    for (net, batch, keep), columns in best(steps).items():
        against = columns.get("pytorch f32", {})
        ours = f"{against['thinnet_ms']['median']:.2f}" if "thinnet_ms" in against else "-"
        cells = [step_cell(columns[name]) if name in columns else "-" for name in NAMES]
        rows.append(f"| {net} | {batch} | {keep:g} | {ours} | " + " | ".join(cells) + " |")
    return "\n".join(rows) + "\n"


def step_cell(entry: Entry) -> str:
    text = f"{entry['peer_ms']['median']:.2f} ms"
    return f"**{entry['ratio']['median']:.1f}x** ({text})" if "ratio" in entry else text


def experiment_table(experiment: dict[str, Entry]) -> str:
    rows = ["| the course's experiment | seconds | times ours |", "|---|---|---|"]
    for name, entry in experiment.items():
        ratio = f"{entry['ratio']['median']:.1f}x" if "ratio" in entry else ""
        rows.append(f"| {name} | {entry['seconds']:.2f} | {ratio} |")
    return "\n".join(rows) + "\n"


def plot(steps: list[Entry], folder: pathlib.Path) -> None:
    """Step time over keep probability: one panel per network and batch size."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams["svg.hashsalt"] = "thinnet"  # the same figures give the same file
    lines: dict[tuple[int, str], dict[str, list[tuple[float, float]]]] = {}
    for (net, batch, keep), columns in best(steps).items():
        panel = lines.setdefault((batch, net), {})
        for name in ("pytorch f32", "pytorch bf16"):
            if name in columns:
                panel.setdefault(name, []).append((keep, columns[name]["peer_ms"]["median"]))
        if "thinnet_ms" in columns.get("pytorch f32", {}):
            ours = columns["pytorch f32"]["thinnet_ms"]["median"]
            panel.setdefault("thinnet", []).append((keep, ours))
    batches = sorted({batch for batch, _ in lines})
    nets = list(dict.fromkeys(net for _, net in lines))  # in the order of best()
    figure, axes = plt.subplots(
        len(batches), len(nets), figsize=(3.6 * len(nets), 3.1 * len(batches)), squeeze=False, layout="constrained"
    )
    for i, batch in enumerate(batches):
        for j, net in enumerate(nets):
            ax = axes[i][j]
            if (batch, net) not in lines:  # not measured: no empty axes
                ax.set_axis_off()
                continue
            for name, points in lines.get((batch, net), {}).items():
                colour, marker = STYLES[name]
                label = NAMES.get(name, "thinnet, f32")
                ax.plot(*zip(*points, strict=True), color=colour, marker=marker, linewidth=2, label=label)
            ax.set_title(f"{net}, batch {batch}", fontsize=10)
            ax.set_ylim(bottom=0)
            ax.set_xticks([0.25, 0.5, 0.75, 1], ["0.25", "0.5", "0.75", "no\ndropout"])
            ax.grid(alpha=0.3)
            ax.spines[["top", "right"]].set_visible(False)
            if j == 0:
                ax.set_ylabel("training step, ms")
            if i == len(batches) - 1:
                ax.set_xlabel("probability to keep a unit")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False)
    figure.savefig(folder / "step-time.svg", metadata={"Date": None})
    figure.savefig(folder / "step-time.png", dpi=150)
    plt.close(figure)


def bars(steps: list[Entry], folder: pathlib.Path) -> None:
    """The README's chart: the time of one training step, one bar per library."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    net, batch, keep = BARS
    columns = best(steps).get(BARS, {})
    if "thinnet_ms" not in columns.get("pytorch f32", {}):
        return
    times = {name: float(columns[name]["peer_ms"]["median"]) for name in NAMES if name in columns}
    times["thinnet"] = float(columns["pytorch f32"]["thinnet_ms"]["median"])
    names = sorted(times, key=lambda name: times[name], reverse=True)
    figure, ax = plt.subplots(figsize=(8, 0.4 * len(names) + 0.8), layout="constrained")
    colours = ["#D55E00" if name == "thinnet" else "#9AA5B1" for name in names]
    shown = ax.barh([NAMES.get(name, "thinnet, f32") for name in names], [times[name] for name in names], color=colours)
    ax.bar_label(shown, [f"{times[name]:.1f} ms" for name in names], padding=4)
    ax.set_title(f"A training step of {net}, batch {batch}, keep {keep:g}: shorter is faster", fontsize=11, loc="left")
    ax.set_xlim(right=1.1 * max(times.values()))
    ax.set_xticks([])
    ax.tick_params(axis="y", length=0)
    ax.spines[["top", "right", "bottom"]].set_visible(False)
    figure.savefig(folder / "step-bars.png", dpi=150)
    plt.close(figure)


def write(results: Entry, folder: pathlib.Path) -> None:
    """Write performance-table.md, step-time.svg, step-time.png and step-bars.png into `folder`."""
    parts = [HEAD]
    if results["steps"]:
        parts.append(step_table(results["steps"]))
        if busy := sum(entry["others"] > BUSY for entry in results["steps"]):
            count = len(results["steps"])
            parts.append(f"{busy} of {count} comparisons were made while other programs used the machine.\n")
        plot(results["steps"], folder)
        bars(results["steps"], folder)
    if "experiment" in results:
        parts.append(experiment_table(results["experiment"]))
    if "gradient_check" in results:
        check = results["gradient_check"]
        text = f"Gradient check of the course's small network: NumPy {1e3 * check['numpy']['seconds']:.1f} ms"
        if "ratio" in check:
            text += f", thinnet {1e3 * check['thinnet']['seconds']:.2f} ms: {check['ratio']['median']:.0f}x"
        parts.append(text + ".\n")
    (folder / "performance-table.md").write_text("\n".join(parts))
