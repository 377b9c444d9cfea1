"""Checks of affine, ReLU, softmax and normalisation layers, and of the network."""

from typing import Any

import numpy as np

from thinnet.course import layers
from thinnet.course._arrays import Array
from thinnet.course._grade.checks import Check, Checks, compare
from thinnet.course._grade.student import Missing, Student
from thinnet.course.fc_net import FullyConnectedNet


def fc_net(student: Student, random: np.random.Generator) -> Checks:
    """Check affine, ReLU, softmax_loss and, if it exists, the network in classifiers/fc_net.py."""
    n, m = int(random.integers(3, 6)), int(random.integers(3, 6))
    shape = (n, 2, int(random.integers(2, 4)))
    x, w, b = random.normal(size=shape), random.normal(size=(shape[1] * shape[2], m)), random.normal(size=m)
    dout = random.normal(size=(n, m))
    out, cache = layers.affine_forward(x, w, b)
    dx, dw, db = layers.affine_backward(dout, cache)
    found = _ask(student, "affine", {"x": x, "w": w, "b": b}, dout, ["dx", "dw", "db"])
    yield compare("fc_net", "affine_forward", found["out"], out, {"the bias is left out": out - b})
    yield compare("fc_net", "affine_backward, dx", found.get("dx"), dx)
    yield compare("fc_net", "affine_backward, dw", found.get("dw"), dw, {"divided by the batch's size": dw / n})
    yield compare(
        "fc_net", "affine_backward, db", found.get("db"), db, {"the mean over the batch instead of the sum": db / n}
    )
    yield from _own("fc_net", "affine", found, ["dx", "dw", "db"])

    dout = random.normal(size=shape)
    out, _ = layers.relu_forward(x)
    found = _ask(student, "relu", {"x": x}, dout, ["dx"])
    yield compare("fc_net", "relu_forward", found["out"], out, {"the absolute value is taken": np.abs(x)})
    mistakes = {"the gradient is not masked": dout, "masked by dout instead of the input": dout * (dout > 0)}
    yield compare("fc_net", "relu_backward, dx", found.get("dx"), layers.relu_backward(dout, x), mistakes)
    yield from _own("fc_net", "relu", found, ["dx"])
    yield from _softmax(student, random)
    if (student.path / "classifiers" / "fc_net.py").exists():
        yield from _network(student, random)


def _softmax(student: Student, random: np.random.Generator) -> Checks:
    n, c = int(random.integers(4, 8)), int(random.integers(3, 6))
    x, y = random.normal(size=(n, c)), random.integers(c, size=n)
    steps = [
        {"do": "softmax_loss", "args": ["$x", "$y"], "to": ["loss", "dx"]},
        {"do": "softmax_loss", "args": ["$large", "$y"], "to": ["large_loss", "large_dx"]},
    ]
    found = student.ask("layers", steps, ["loss", "dx", "large_loss"], {"x": x, "y": y, "large": x + 1000})
    loss, dx = layers.softmax_loss(x, y)
    mean = "the mean over the batch is forgotten"
    yield compare("fc_net", "softmax_loss, loss", found["loss"], loss, {mean: loss * n, "the sign is wrong": -loss})
    hot = np.eye(c)[y]
    yield compare(
        "fc_net",
        "softmax_loss, dx",
        found.get("dx"),
        dx,
        {mean: dx * n, "1 is not subtracted for the label": dx + hot / n},
    )
    overflow = compare("fc_net", "softmax_loss, scores of 1000", found["large_loss"], loss, {})
    if not overflow.passed and not np.isfinite(found["large_loss"]).all():
        mistake = "overflows: the maximum score is not subtracted"
        overflow = Check("fc_net", overflow.name, False, None, mistake)
    yield overflow


def _network(student: Student, random: np.random.Generator) -> Checks:
    n, d, c = 5, int(random.integers(6, 12)), int(random.integers(3, 6))
    hidden = [int(size) for size in random.integers(4, 8, 2)]
    x, y = random.normal(size=(n, d)), random.integers(c, size=n)
    for keep, reg in ((1.0, 0.0), (1.0, 0.7), (0.6, 0.0)):
        kind = f"keep {keep:g}, reg {reg:g}"
        settings: dict[str, Any] = {"input_dim": d, "num_classes": c, "reg": reg, "weight_scale": 0.3, "seed": 9}
        reference = FullyConnectedNet(hidden, dropout=keep if keep < 1 else 0, dtype=np.float64, **settings)
        arrays = {name: random.normal(size=w.shape) * 0.5 for name, w in reference.params.items()}
        reference.params = {name: w.copy() for name, w in arrays.items()}
        network = settings | {"hidden_dims": hidden, "keep": keep, "norm": None, "dtype": "float64"}
        steps: list[dict[str, Any]] = [
            {"do": "network", "settings": network},
            {"do": "set", "names": list(arrays)},
            {"do": "net.loss", "args": ["$x"], "to": "scores"},
            {"do": "net.loss", "args": ["$x", "$y"], "to": ["loss", "grads"]},
        ]
        found = student.ask("classifiers.fc_net", steps, ["scores", "loss", "grads"], {"x": x, "y": y, **arrays})
        scores = reference.loss(x)
        loss, grads = reference.loss(x, y)
        squares = sum(float(np.sum(w**2)) for name, w in arrays.items() if name[0] == "W")
        biases = sum(float(np.sum(b**2)) for name, b in arrays.items() if name[0] == "b")
        yield compare("fc_net", f"FullyConnectedNet.loss, scores ({kind})", found["scores"], scores)
        mistakes = {
            "the L2 term is left out": loss - 0.5 * reg * squares,
            "the L2 term lacks its factor 0.5": loss + 0.5 * reg * squares,
            "the L2 term includes biases": loss + 0.5 * reg * biases,
        }
        yield compare("fc_net", f"FullyConnectedNet.loss, loss ({kind})", found["loss"], loss, mistakes)
        for name, gradient in grads.items():
            wrong = {}
            if reg and name[0] == "W":
                w = arrays[name]
                wrong = {
                    "the L2 term's gradient is left out": gradient - reg * w,
                    "the L2 term's gradient is doubled": gradient + reg * w,
                }
            title = f"FullyConnectedNet.loss, {name} ({kind})"
            yield compare("fc_net", title, found.get(f"grads/{name}"), gradient, wrong, 1e-5)


def batchnorm(student: Student, random: np.random.Generator) -> Checks:
    """Check batch normalisation and, if it exists, layer normalisation."""
    n, d = int(random.integers(4, 9)), int(random.integers(3, 6))
    x, dout = 3 * random.normal(size=(n, d)) + 2, random.normal(size=(n, d))
    gamma, beta, mean, var = (random.uniform(0.5, 2, d) for _ in range(4))
    eps, momentum = 1e-2, 0.8
    arrays = {"x": x, "gamma": gamma, "beta": beta}
    reference = {"mode": "train", "eps": eps, "momentum": momentum, "running_mean": mean, "running_var": var}
    out, cache = layers.batchnorm_forward(x, gamma, beta, reference)
    fresh = {"mode": "train", "eps": eps, "momentum": momentum}
    found = _ask(student, "batchnorm", arrays, dout, ["dx", "dgamma", "dbeta"], fresh)
    centred = x - x.mean(0)
    mistakes = {
        "epsilon is missing in the root": gamma * centred / (x.std(0) + eps) + beta,
        "the variance is divided by N - 1": gamma * centred / np.sqrt(x.var(0, ddof=1) + eps) + beta,
        "the root of the variance is not taken": gamma * centred / (x.var(0) + eps) + beta,
        "gamma and beta are not applied": centred / np.sqrt(x.var(0) + eps),
        "normalised over features instead of the batch": layers.layernorm_forward(x, gamma, beta, {"eps": eps})[0],
    }
    yield compare("batchnorm", "batchnorm_forward, train mode", found["out"], out, mistakes)
    dx, dgamma, dbeta = layers.batchnorm_backward(dout, cache)
    through = dout * gamma / np.sqrt(x.var(0) + eps)
    mistakes = {"mean and variance are treated as constants": through, "the mean over the batch is forgotten": dx * n}
    yield compare("batchnorm", "batchnorm_backward, dx", found.get("dx"), dx, mistakes)
    yield compare(
        "batchnorm",
        "batchnorm_backward, dgamma",
        found.get("dgamma"),
        dgamma,
        {"computed from x, not x-hat": (dout * x).sum(0)},
    )
    yield compare(
        "batchnorm", "batchnorm_backward, dbeta", found.get("dbeta"), dbeta, {"the mean instead of the sum": dbeta / n}
    )
    yield from _own("batchnorm", "batchnorm", found, ["dx", "dgamma", "dbeta"])

    # Running averages after two batches, then test mode with them.
    steps = [
        {"do": "batchnorm_forward", "args": ["$x", "$gamma", "$beta", "$param"], "to": ["out", "cache"]},
        {"do": "batchnorm_forward", "args": ["$more", "$gamma", "$beta", "$param"], "to": ["out", "cache"]},
        {"do": "take", "args": ["$param"], "key": "running_mean", "to": "mean"},
        {"do": "take", "args": ["$param"], "key": "running_var", "to": "var"},
    ]
    more = 2 * x[::-1] - 1
    found = student.ask("layers", steps, ["mean", "var"], arrays | {"more": more}, param=dict(fresh))
    param: dict[str, Any] = dict(fresh)
    for batch in (x, more):
        layers.batchnorm_forward(batch, gamma, beta, param)
    zero = np.zeros(d)
    for key, short, moments in (
        ("running_mean", "mean", (x.mean(0), more.mean(0))),
        ("running_var", "var", (x.var(0), more.var(0))),
    ):
        swapped = (1 - momentum) * ((1 - momentum) * zero + momentum * moments[0]) + momentum * moments[1]
        mistakes = {
            "momentum weighs the new instead of the old": swapped,
            "is never updated": zero,
            "is the last batch's": moments[1],
        }
        yield compare("batchnorm", f"batchnorm_forward, {key}", found[short], param[key], mistakes)
    found = student.ask(
        "layers",
        [
            {"do": "batchnorm_forward", "args": ["$x", "$gamma", "$beta", "$param"], "to": ["out", "cache"]},
            {"do": "change", "args": ["$param", "mode", "test"]},
            {"do": "batchnorm_forward", "args": ["$more", "$gamma", "$beta", "$param"], "to": ["tested", "cache"]},
        ],
        ["tested"],
        arrays | {"more": more},
        param=dict(fresh),
    )
    param = dict(fresh)
    layers.batchnorm_forward(x, gamma, beta, param)
    batch_out, _ = layers.batchnorm_forward(more, gamma, beta, dict(fresh))
    param["mode"] = "test"
    tested, _ = layers.batchnorm_forward(more, gamma, beta, param)
    mistakes = {"the batch's statistics are used in test mode": batch_out}
    yield compare("batchnorm", "batchnorm_forward, test mode", found["tested"], tested, mistakes)
    try:
        found = _ask(student, "layernorm", arrays, dout, ["dx", "dgamma", "dbeta"], {"eps": eps})
    except Missing:
        return  # older courses have none
    out, cache = layers.layernorm_forward(x, gamma, beta, {"eps": eps})
    over_batch = layers.batchnorm_forward(x, gamma, beta, dict(fresh))[0]
    wrong = {"normalised over the batch instead of features": over_batch}
    yield compare("batchnorm", "layernorm_forward", found["out"], out, wrong)
    for name, gradient in zip(("dx", "dgamma", "dbeta"), layers.layernorm_backward(dout, cache), strict=True):
        yield compare("batchnorm", f"layernorm_backward, {name}", found.get(name), gradient)
    yield from _own("batchnorm", "layernorm", found, ["dx", "dgamma", "dbeta"])


def _ask(
    student: Student,
    layer: str,
    arrays: dict[str, Array],
    dout: Array,
    grads: list[str],
    param: dict[str, Any] | None = None,
) -> dict[str, Array]:
    """A layer's output and gradients, its own numerical gradients, and its inputs afterwards."""
    names = [f"${name}" for name in arrays]
    steps: list[dict[str, Any]] = [{"do": "copy", "args": [name], "to": f"{name[1:]}_given"} for name in names]
    given = [f"{name}_given" for name in names] + (["$param"] if param else [])
    steps += [
        {"do": f"{layer}_forward", "args": given, "to": ["out", "cache"]},
        {"do": f"{layer}_backward", "args": ["$dout", "$cache"], "to": grads if len(grads) > 1 else grads[0]},
    ]
    for i, grad in enumerate(grads):
        args = [*names, *(["$param2"] if param else [])]
        steps.append(
            {
                "do": "numerical",
                "function": f"{layer}_forward",
                "args": args,
                "wrt": i,
                "dout": "$dout",
                "to": f"numerical_{grad}",
            }
        )
    give = ["out", *grads, *(f"numerical_{grad}" for grad in grads), *(f"{name}_given" for name in arrays)]
    values = {"param": dict(param), "param2": dict(param)} if param else {}
    found = student.ask("layers", steps, give, arrays | {"dout": dout}, **values)
    changed = [name for name, array in arrays.items() if not np.array_equal(found.pop(f"{name}_given"), array)]
    if changed:
        found["changed"] = np.array(len(changed))
    return found


def _own(exercise: str, layer: str, found: dict[str, Array], grads: list[str]) -> Checks:
    """Whether the gradients match the layer's own forward pass, and whether its inputs stay unchanged."""
    for grad in grads:
        name = f"{layer}_backward, {grad} by finite differences"
        yield compare(exercise, name, found.get(grad), found[f"numerical_{grad}"], None, 1e-4)
    changed = "changed" in found
    yield Check(
        exercise, f"{layer}, inputs unchanged", not changed, None, "changes its input in place" if changed else ""
    )
