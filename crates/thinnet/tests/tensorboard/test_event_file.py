"""TensorBoard's own reader on the event files that the example `event_file` writes.

The example is the program that the environment variable EVENT_FILE_EXAMPLE names; its figures stand in its source.
"""

import math
import os
import subprocess
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import STORE_EVERYTHING_SIZE_GUIDANCE, EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.util import tensor_util

SCALARS = {
    "accuracy/train",
    "accuracy/val",
    "learning_rate",
    "loss/batch_mean",
    "loss/train",
    "loss/val",
    "samples_per_second",
    "top5/train",
    "top5/val",
}


def write(folder: Path, *arguments: str) -> Path:
    """Run the example; gives the path of the file."""
    program = os.environ["EVENT_FILE_EXAMPLE"]
    done = subprocess.run([program, str(folder), *arguments], check=True, capture_output=True, text=True)
    return Path(done.stdout.strip())


def read(folder: Path) -> EventAccumulator:
    accumulator = EventAccumulator(str(folder), size_guidance=STORE_EVERYTHING_SIZE_GUIDANCE)
    accumulator.Reload()
    return accumulator


def scalars(accumulator: EventAccumulator, tag: str) -> list[tuple[int, float]]:
    return [(event.step, event.value) for event in accumulator.Scalars(tag)]


def close(expected: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """The scalars as 32-bit floats have them."""
    return [(step, pytest.approx(value, rel=1e-7)) for step, value in expected]


def test_scalars(tmp_path: Path) -> None:
    path = write(tmp_path / "run")
    assert path.name.startswith("events.out.tfevents.") and path.name.endswith(".thinnet")
    accumulator = read(tmp_path / "run")
    assert accumulator.file_version == 2.0
    assert set(accumulator.Tags()["scalars"]) == SCALARS
    for tag, figure in {
        "loss/batch_mean": lambda epoch: 2.5 / epoch,
        "loss/train": lambda epoch: 2 / epoch,
        "loss/val": lambda epoch: 2 / epoch,
        "accuracy/train": lambda epoch: 0.1 * epoch,
        "accuracy/val": lambda epoch: 0.08 * epoch,
        "top5/train": lambda epoch: 0.9,
        "learning_rate": lambda epoch: 1e-3 / epoch,
        "samples_per_second": lambda epoch: 1000.0,
    }.items():
        assert scalars(accumulator, tag) == close([(epoch, figure(epoch)) for epoch in (1, 2, 3)]), tag
    for event in accumulator.Scalars("loss/val"):
        assert abs(event.wall_time - path.stat().st_mtime) < 60


def test_histograms(tmp_path: Path) -> None:
    write(tmp_path)
    histograms = read(tmp_path).Histograms("weights/W1")
    assert [event.step for event in histograms] == [1, 2, 3]
    for event in histograms:
        values = [event.step * (i * (unit + 1) - 10.0) for i in range(6) for unit in range(8)]
        histogram = event.histogram_value
        assert (histogram.num, histogram.min, histogram.max) == (48, min(values), max(values))
        assert histogram.sum == pytest.approx(sum(values))
        assert histogram.sum_squares == pytest.approx(sum(value * value for value in values))
        assert sum(histogram.bucket) == 48
        # Each value lies in the bucket below its limit, as TensorFlow counts.
        lower = -math.inf
        for limit, count in zip(histogram.bucket_limit, histogram.bucket, strict=True):
            assert sum(lower <= value < limit for value in values) == count
            lower = limit


def test_images(tmp_path: Path) -> None:
    write(tmp_path)
    images = read(tmp_path).Images("first_layer")
    assert [event.step for event in images] == [1, 2, 3]
    for event in images:
        # Eight images of 3 x 2 pixels in rows of three, a pixel apart.
        assert (event.height, event.width) == (3 * 3 + 2, 3 * 2 + 2)
        assert event.encoded_image_string.startswith(b"\x89PNG\r\n\x1a\n")
        assert int.from_bytes(event.encoded_image_string[16:20], "big") == event.width
        assert int.from_bytes(event.encoded_image_string[20:24], "big") == event.height


def test_a_run_that_was_gone_on_with(tmp_path: Path) -> None:
    """Epoch 3, which was trained anew, is that of the second time; epochs 1 and 2 are those of the first."""
    path = write(tmp_path)
    with path.open("ab") as file:
        file.write(b"\x20\x00\x00\x00\x00\x00\x00\x00half an event")
    assert write(tmp_path, "2") == path
    accumulator = read(tmp_path)
    first, second = [(1, 2.5), (2, 1.25)], [(3, 2.5 / 3 + 0.125), (4, 0.75)]
    assert scalars(accumulator, "loss/batch_mean") == close(first + second)
    assert [event.step for event in accumulator.Histograms("weights/W1")] == [1, 2, 3, 4]
    assert [event.step for event in accumulator.Images("first_layer")] == [1, 2, 3, 4]


def test_a_run_that_was_gone_on_with_in_a_second_file(tmp_path: Path) -> None:
    """What the first file has of epoch 3 is dropped, although it stays in that file."""
    path = write(tmp_path)
    # Another program's name: it is not gone on with.
    path.rename(path.with_name(path.name.replace("thinnet", "other")))
    other = write(tmp_path, "2")
    assert other.name.endswith(".thinnet")
    other.rename(other.with_name(f"events.out.tfevents.9999999999.{other.suffix[1:]}"))
    first, second = [(1, 2.5), (2, 1.25)], [(3, 2.5 / 3 + 0.125), (4, 0.75)]
    assert scalars(read(tmp_path), "loss/batch_mean") == close(first + second)


def test_the_interface_reads_it_too(tmp_path: Path) -> None:
    """The reader above keeps the old forms; the web interface turns them into tensors first."""
    path = write(tmp_path)
    tensors = {}
    for event in EventFileLoader(str(path)).Load():
        assert event.WhichOneof("what") in {"file_version", "summary"}
        for value in event.summary.value:
            tensors[value.tag, event.step] = (
                value.metadata.plugin_data.plugin_name,
                tensor_util.make_ndarray(value.tensor),
            )
    plugin, loss = tensors["loss/val", 2]
    assert plugin == "scalars" and loss == 1.0
    plugin, buckets = tensors["weights/W1", 1]
    assert plugin == "histograms" and buckets[:, 2].sum() == 48
    plugin, image = tensors["first_layer", 3]
    assert plugin == "images" and list(image[:2]) == [b"8", b"11"]
