"""Models that the program exports for PyTorch, in PyTorch: they predict what `thinnet predict` predicts.

Usage: exported.py PROGRAM
"""

import csv
import io
import random
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

ROWS = 1000
COLUMNS = 6
ACTIVATIONS = ["identity", "logistic", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "softplus"]
CASES = [
    *([f"model.activation={name}"] for name in ACTIVATIONS),
    *(
        [f"model.normalisation={name}", f"model.dtype={dtype}"]
        for name in ("batch", "layer")
        for dtype in ("f32", "f64")
    ),
    ["model.keep=0.5", "model.input_keep=0.9"],
    ["model.dropout=gaussian", "model.keep=0.5", "model.normalisation=batch"],
]


def table(numbers: bool) -> tuple[str, list[list[float]]]:
    """A table of numbers with a label or a target, as text, and its samples."""
    draw = random.Random(0)
    samples = [[draw.gauss(50, 1 + column) for column in range(COLUMNS)] for _ in range(ROWS)]
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow([*(f"x{column}" for column in range(COLUMNS)), "y"])
    for sample in samples:
        total = sum(sample) + draw.gauss(0, 1)
        lines.writerow([*sample, total if numbers else ["low", "middle", "high"][int(total > 295) + int(total > 305)]])
    return text.getvalue(), samples


def difference(program: Path, settings: list[str], numbers: bool) -> float:
    """The largest difference between PyTorch's predictions and the program's, relative above 1."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def thinnet(*arguments: str) -> str:
            done = subprocess.run([program, *arguments], cwd=folder, check=True, capture_output=True, text=True)
            return done.stdout

        text, samples = table(numbers)
        (folder / "data.csv").write_text(text)
        all_settings = ["model.hidden=[24,16]", "train.epochs=3", "optim.learning_rate=0.01", "data.val=200", *settings]
        pairs = [part for setting in all_settings for part in ("--set", setting)]
        thinnet("train", "--data", "data.csv", "--out", "run", *pairs)
        thinnet("export", "run", "network.safetensors", "--format", "torch")
        shown = thinnet("predict", "run", "data.csv", *([] if numbers else ["--proba"]))
        head, *lines = csv.reader(io.StringIO(shown))
        expected = torch.tensor([[float(field) for field in line[1:]] for line in lines], dtype=torch.float64)
        model = runpy.run_path(str(folder / "network.py"))
        assert model["outputs"] == head[1:]
        with torch.no_grad():
            found = model["predict"](torch.tensor(samples, dtype=torch.float64)).double()
        return float(((found - expected).abs() / expected.abs().clamp(min=1)).max())


def main() -> None:
    program = Path(sys.argv[1]).resolve()
    for settings in CASES:
        for numbers in (False, True):
            found = difference(program, settings, numbers)
            print(f"{found:.1e}  {'numbers' if numbers else 'classes'}  {' '.join(settings)}", flush=True)
            if not found < 1e-5:
                sys.exit("this differs by more than rounding")


if __name__ == "__main__":
    main()
