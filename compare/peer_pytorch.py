"""PyTorch's training step. Settings: {eager|compile}-{f32|bf16}; bf16 is autocast; Adam is the fused one in all."""

import itertools

import torch
from torch import nn

import peer


def build(work: peer.Work) -> nn.Sequential:
    layers: list[nn.Module] = []
    for fan_in, fan_out in itertools.pairwise(work.net[:-1]):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
        if work.keep < 1:
            layers.append(nn.Dropout(1 - work.keep))
    return nn.Sequential(*layers, nn.Linear(*work.net[-2:]))


def prepare(work: peer.Work) -> peer.Step:
    mode, dtype = work.setting.split("-")
    torch.manual_seed(0)
    torch.compiler.reset()
    x_all = torch.from_numpy(peer.images(work.net[0]))
    y_all = torch.from_numpy(peer.labels(work.net[0], work.net[-1]))
    model = build(work)
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
