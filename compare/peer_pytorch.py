"""PyTorch's training step. Settings: {eager|compile}-{f32|bf16}; bf16 is autocast; Adam is the fused one in all."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

import peer


def build(net: Sequence[int], keep: float) -> nn.Sequential:
    layers: list[nn.Module] = []
    for fan_in, fan_out in itertools.pairwise(net[:-1]):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
        if keep < 1:
            layers.append(nn.Dropout(1 - keep))
    return nn.Sequential(*layers, nn.Linear(*net[-2:]))


def fit(net: Sequence[int], keep: float, batch: int, x: Any, y: Any, epochs: int, threads: int) -> Callable[[], object]:
    """Fits a new net to `x` (N, D) and classes `y` (N): the eager loop of PyTorch's tutorials, on tensors."""
    x_all, y_all = torch.from_numpy(x), torch.from_numpy(y)

    def work() -> None:
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        model = build(net, keep)
        criterion = nn.CrossEntropyLoss()
        optimizer = torch.optim.Adam(model.parameters(), lr=peer.LEARNING_RATE, fused=True)
        for _ in range(epochs):
            for rows in torch.randperm(len(x_all)).split(batch):
                optimizer.zero_grad()
                criterion(model(x_all[rows]), y_all[rows]).backward()
                optimizer.step()

    return work


def predict_masked(net: Sequence[int], keep: float, x: Any, masks: int, threads: int) -> Callable[[], object]:
    """The mean of the probabilities over passes with dropout on, as tutorials on Monte-Carlo dropout do it."""
    torch.manual_seed(0)
    model, x_all = build(net, keep).train(), torch.from_numpy(x)

    @torch.inference_mode()
    def work() -> Any:
        torch.set_num_threads(threads)
        return sum(model(x_all).softmax(1) for _ in range(masks)) / masks

    return work


def prepare(work: peer.Work) -> peer.Step:
    mode, dtype = work.setting.split("-")
    torch.manual_seed(0)
    torch.compiler.reset()
    x_all = torch.from_numpy(peer.images(work.net[0]))
    y_all = torch.from_numpy(peer.labels(work.net[0], work.net[-1]))
    model = build(work.net, work.keep)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=peer.LEARNING_RATE, fused=True)

    def loss_of(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == "bf16"):
            return criterion(model(x), y)

    forward = torch.compile(loss_of) if mode == "compile" else loss_of

    def step() -> float:
        batch = torch.randint(peer.IMAGES, (work.batch,))
        optimizer.zero_grad()
        loss = forward(x_all[batch], y_all[batch])
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


if __name__ == "__main__":
    torch.set_num_threads(peer.THREADS)
    peer.serve(prepare)
