"""The course's dropout experiment in PyTorch: same data, network, schedule and lines; its own random numbers."""

import argparse
import copy
import pathlib
import sys

import torch
from torch import nn

from course_data import load_sample, plot_accuracies, seconds_since_process_start

BATCH = 100
EPOCHS = 25


def accuracy(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    model.eval()
    with torch.inference_mode():
        predicted = torch.cat([model(chunk).argmax(dim=1) for chunk in x.split(BATCH)])
    model.train()
    return (predicted == y).float().mean().item()


def train(model: nn.Module, data: dict[str, torch.Tensor]) -> tuple[list[float], list[float]]:
    """Train as the course's Solver does; return training and validation accuracy after each epoch."""
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-4, fused=True)
    criterion = nn.CrossEntropyLoss()
    x_train, y_train = data["X_train"], data["y_train"]
    per_epoch = max(len(x_train) // BATCH, 1)
    iterations = EPOCHS * per_epoch
    train_accuracies, val_accuracies = [], []
    best_val_accuracy, best_state = 0.0, copy.deepcopy(model.state_dict())
    for t in range(iterations):
        batch = torch.randint(len(x_train), (BATCH,))
        optimizer.zero_grad()
        loss = criterion(model(x_train[batch]), y_train[batch])
        loss.backward()
        optimizer.step()
        if t % 100 == 0:
            print(f"(Iteration {t + 1} / {iterations}) loss: {loss.item():f}")
        if t == 0 or (t + 1) % per_epoch == 0:
            train_accuracies.append(accuracy(model, x_train, y_train))
            val_accuracies.append(accuracy(model, data["X_val"], data["y_val"]))
            print(
                f"(Epoch {(t + 1) // per_epoch} / {EPOCHS}) "
                f"train acc: {train_accuracies[-1]:f}; val_acc: {val_accuracies[-1]:f}"
            )
            if val_accuracies[-1] > best_val_accuracy:
                best_val_accuracy, best_state = val_accuracies[-1], copy.deepcopy(model.state_dict())
    model.load_state_dict(best_state)
    return train_accuracies, val_accuracies


def build(keep: float) -> nn.Sequential:
    """The course's network: weights 1e-2 * normal, biases zero; the dropout layer exists also with 1."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(3072, 500), nn.ReLU(), nn.Dropout(1 - keep), nn.Linear(500, 10))
    for name, parameter in model.named_parameters():
        if name.endswith("weight"):
            nn.init.normal_(parameter, std=1e-2)
        else:
            nn.init.zeros_(parameter)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=float, nargs="+", default=[1, 0.25])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=pathlib.Path, help="folder for accuracy.png; without it there is no plot")
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    torch.manual_seed(231)
    imported = seconds_since_process_start()
    data = {name: torch.from_numpy(array) for name, array in load_sample("float32").items()}
    histories = {}
    for keep in args.keep:
        print(f"{keep:g}")
        histories[keep] = train(build(keep), data)
    trained = seconds_since_process_start()
    if args.out:
        plot_accuracies(args.out / "accuracy.png", histories)
    total = seconds_since_process_start()
    print(f"wall time: {total:.2f} s, of which import {imported:.2f} s, plot {total - trained:.2f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
