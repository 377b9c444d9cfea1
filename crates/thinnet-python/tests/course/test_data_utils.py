"""The course's readers on the real CIFAR-10, which `cargo xtask datasets` brings, and the script that unpacks it."""

import os
import pickle
import subprocess
from pathlib import Path

import numpy as np
import pytest
from thinnet.course._init import init
from thinnet.course.data_utils import find_cifar10, get_CIFAR10_data, load_CIFAR10, load_CIFAR_batch


@pytest.fixture(scope="module")
def datasets() -> Path:
    """The folder with cifar-10-batches-py and the archive; skipped where it is not there, but not in CI."""
    found = find_cifar10(())
    if found is None:
        assert os.environ.get("CI") != "true", "CIFAR-10 is not there"
        pytest.skip("CIFAR-10 is not there")
    return found.parent


def of_pickle(path: Path) -> tuple[np.ndarray, list[int]]:
    """As the course's own reader does."""
    with path.open("rb") as file:
        batch = pickle.load(file, encoding="latin1")
    return batch["data"].reshape(10000, 3, 32, 32).transpose(0, 2, 3, 1).astype("float"), batch["labels"]


def test_batches_are_what_the_courses_reader_gives(datasets: Path) -> None:
    folder = datasets / "cifar-10-batches-py"
    images, labels = load_CIFAR_batch(folder / "data_batch_3")
    expected, expected_labels = of_pickle(folder / "data_batch_3")
    np.testing.assert_array_equal(images, expected)
    np.testing.assert_array_equal(labels, expected_labels)
    train, train_labels, test, test_labels = load_CIFAR10(folder)
    assert (train.shape, test.shape) == ((50000, 32, 32, 3), (10000, 32, 32, 3))
    np.testing.assert_array_equal(train[20000:30000], expected)
    np.testing.assert_array_equal(train_labels[20000:30000], expected_labels)
    np.testing.assert_array_equal(test_labels, of_pickle(folder / "test_batch")[1])


def test_the_split_is_the_courses(datasets: Path) -> None:
    data = get_CIFAR10_data(folders=[datasets])
    shapes = {name: array.shape for name, array in data.items()}
    assert shapes == {
        "X_train": (49000, 3, 32, 32),
        "y_train": (49000,),
        "X_val": (1000, 3, 32, 32),
        "y_val": (1000,),
        "X_test": (1000, 3, 32, 32),
        "y_test": (1000,),
    }
    first, _ = of_pickle(datasets / "cifar-10-batches-py/data_batch_1")
    mean = first[0].transpose(2, 0, 1) - data["X_train"][0]
    # docs/data.md: the mean image's first numbers.
    np.testing.assert_allclose(mean.ravel()[:4], [130.64189796, 130.05569388, 130.96055102, 131.48467347], atol=1e-8)
    with pytest.raises(ValueError, match=r"CIFAR-10 at .* has 50000"):
        get_CIFAR10_data(num_training=50000, folders=[datasets])


def test_the_script_unpacks_a_local_archive_once(datasets: Path, tmp_path: Path) -> None:
    init(tmp_path / "cs6353", data=datasets)
    script = ["sh", str(tmp_path / "cs6353/datasets/get_datasets.sh")]
    first = subprocess.run(script, capture_output=True, text=True, check=True)
    assert first.stdout.strip().endswith("datasets/cifar-10-batches-py")
    assert len(load_CIFAR_batch(tmp_path / "cs6353/datasets/cifar-10-batches-py/test_batch")[1]) == 10000
    again = subprocess.run(script, capture_output=True, text=True, check=True)
    assert again.stdout.strip().endswith("is there already")
    assert [path.name for path in (tmp_path / "cs6353/datasets").iterdir() if path.name.startswith(".")] == []


def test_the_script_says_what_to_do_without_archive_and_program(tmp_path: Path) -> None:
    init(tmp_path / "cs6353")
    script = ["sh", str(tmp_path / "cs6353/datasets/get_datasets.sh")]
    failed = subprocess.run(script, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"})
    assert failed.returncode == 2
    assert "cargo install thinnet-cli" in failed.stderr
