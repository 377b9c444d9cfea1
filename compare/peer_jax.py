"""JAX's training step, all in one jit, with donated state. Setting: jit.

XLA uses as many threads as the process may use cores, so the driver limits those.
"""

import functools
import itertools

import jax
import jax.numpy as jnp
import optax

import peer


def init(net: list[int], key: jax.Array) -> list[dict[str, jax.Array]]:
    layers = []
    for (fan_in, fan_out), k in zip(itertools.pairwise(net), jax.random.split(key, len(net) - 1), strict=True):
        layers.append({"w": jax.random.normal(k, (fan_in, fan_out)) * (2 / fan_in) ** 0.5, "b": jnp.zeros(fan_out)})
    return layers


def loss_of(params: list[dict[str, jax.Array]], x: jax.Array, y: jax.Array, key: jax.Array, keep: float) -> jax.Array:
    for layer in params[:-1]:
        x = jax.nn.relu(x @ layer["w"] + layer["b"])
        if keep < 1:
            key, mask_key = jax.random.split(key)
            x = jnp.where(jax.random.bernoulli(mask_key, keep, x.shape), x / keep, 0)
    scores = x @ params[-1]["w"] + params[-1]["b"]
    return optax.losses.softmax_cross_entropy_with_integer_labels(scores, y).mean()


def prepare(work: peer.Work) -> peer.Step:
    x_all = jnp.asarray(peer.images(work.net[0]))
    y_all = jnp.asarray(peer.labels(work.net[0], work.net[-1]), dtype=jnp.int32)
    optimizer = optax.adam(peer.LEARNING_RATE)

    @functools.partial(jax.jit, donate_argnums=0)
    def train(state, x_all, y_all):  # type: ignore[no-untyped-def]
        params, moments, key = state
        key, batch_key, dropout_key = jax.random.split(key, 3)
        batch = jax.random.randint(batch_key, (work.batch,), 0, peer.IMAGES)
        loss, grads = jax.value_and_grad(loss_of)(params, x_all[batch], y_all[batch], dropout_key, work.keep)
        updates, moments = optimizer.update(grads, moments, params)
        return (optax.apply_updates(params, updates), moments, key), loss

    key = jax.random.key(0)
    params = init(work.net, key)
    state = (params, optimizer.init(params), key)

    def step() -> float:
        nonlocal state
        state, loss = jax.block_until_ready(train(state, x_all, y_all))
        return float(loss)

    return step


if __name__ == "__main__":
    peer.serve(prepare)
