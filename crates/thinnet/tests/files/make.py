"""Writes the small files beside it, as Python and NumPy write them; tests/formats/ reads them back.

Number `j` of image `i` is (37 i + 11 j) % 256, and label `i` is (3 i + 1) % 10 (CIFAR-100: (30 i + 1) % 100).
"""

import bz2
import gzip
import io
import lzma
import pathlib
import pickle
import struct
import tarfile
import zlib

import h5py
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import zstandard
from PIL import Image

FOLDER = pathlib.Path(__file__).parent
IMAGES = 2


def pixels(images: int, numbers: int) -> np.ndarray:
    i, j = np.arange(images)[:, None], np.arange(numbers)[None, :]
    return ((37 * i + 11 * j) % 256).astype(np.uint8)


class Python2:
    """Writes what Python 2 wrote with protocol 2: strings of bytes, each kept in the memo once it is written."""

    def __init__(self) -> None:
        self.out = b"\x80\x02"
        self.kept = 0

    def op(self, code: bytes, keep: bool = False) -> None:
        self.out += code
        if keep:
            self.out += b"q" + bytes([self.kept]) if self.kept < 256 else b"r" + struct.pack("<I", self.kept)
            self.kept += 1

    def string(self, text: bytes, keep: bool = True) -> None:
        short = len(text) < 256
        self.op((b"U" + bytes([len(text)]) if short else b"T" + struct.pack("<i", len(text))) + text, keep)

    def integer(self, value: int) -> None:
        if 0 <= value < 256:
            self.op(b"K" + bytes([value]))
        else:
            self.op(b"M" + struct.pack("<H", value) if 0 <= value < 65536 else b"J" + struct.pack("<i", value))

    def array(self, array: np.ndarray) -> None:
        self.op(b"cnumpy.core.multiarray\n_reconstruct\n", keep=True)
        self.op(b"cnumpy\nndarray\n", keep=True)
        self.integer(0)
        self.op(b"\x85", keep=True)
        self.string(b"b")
        self.op(b"\x87", keep=True)
        self.op(b"R", keep=True)
        self.op(b"(")
        self.integer(1)
        self.op(b"\x8a\x02" + struct.pack("<h", array.shape[0]))  # a long of Python 2's
        self.integer(array.shape[1])
        self.op(b"\x86", keep=True)
        self.op(b"cnumpy\ndtype\n", keep=True)
        self.string(b"u1")
        self.integer(0)
        self.integer(1)
        self.op(b"\x87", keep=True)
        self.op(b"R", keep=True)
        self.op(b"(")
        self.integer(3)
        self.string(b"|")
        self.op(b"NNN")
        self.integer(-1)
        self.integer(-1)
        self.integer(0)
        self.op(b"t", keep=True)
        self.op(b"b\x89")
        self.string(array.tobytes(), keep=False)
        self.op(b"t", keep=True)
        self.op(b"b")


def python2_batch(data: np.ndarray, labels: list[int]) -> bytes:
    writer = Python2()
    writer.op(b"}", keep=True)
    writer.op(b"(")
    writer.string(b"batch_label")
    writer.string(b"training batch 1 of 5")
    writer.string(b"labels")
    writer.op(b"]", keep=True)
    writer.op(b"(")
    for label in labels:
        writer.integer(label)
    writer.op(b"e")
    writer.string(b"data")
    writer.array(data)
    writer.string(b"filenames")
    writer.op(b"]", keep=True)
    writer.op(b"(")
    for index in range(len(labels)):
        writer.string(b"image_%d.png" % index)
    writer.op(b"eu.")
    loaded = pickle.loads(writer.out, encoding="bytes")
    assert np.array_equal(loaded[b"data"], data) and loaded[b"labels"] == labels
    return writer.out


def main() -> None:
    data, labels = pixels(IMAGES, 3072), [(3 * i + 1) % 10 for i in range(IMAGES)]
    (FOLDER / "batch-python2.pickle").write_bytes(python2_batch(data, labels))
    batch = {"batch_label": "one", "labels": labels, "data": data, "filenames": ["a.png", "b.png"]}
    for protocol in range(2, 6):
        (FOLDER / f"batch-protocol{protocol}.pickle").write_bytes(pickle.dumps(batch, protocol=protocol))
    fine = [(30 * i + 1) % 100 for i in range(IMAGES)]
    batch = {b"fine_labels": fine, b"coarse_labels": [0] * IMAGES, b"data": data, b"filenames": [b"a", b"b"]}
    (FOLDER / "batch-cifar100.pickle").write_bytes(pickle.dumps(batch, protocol=4))

    small, labels = pixels(4, 6), np.array([7, 3, 7, 11])
    images = small.reshape(4, 1, 2, 3)
    for name, array in {
        "u1": small,
        "i2-big": small.astype(">i2"),
        "i8": small.astype(np.int64) - 100,
        "f4-fortran": np.asfortranarray(small.astype(np.float32) / 2),
        "f8-big": small.astype(">f8") / 3,
        "bool": small > 100,
        "words": np.array(["cat", "dog", "cat", "élan"]),
        "bytes": np.array([b"cat", b"dog", b"cat", b"elk"]),
    }.items():
        np.save(FOLDER / f"{name}.npy", array)
    np.savez_compressed(
        FOLDER / "splits.npz",
        x_train=images,
        y_train=labels,
        x_test=images[:1],
        y_test=labels[:1],
    )
    colours = pixels(2, 8 * 5 * 3).reshape(2, 8, 5, 3)
    np.savez(FOLDER / "channels-last.npz", X=colours, y=np.array([1, 0]), classes=np.array(["cat", "dog", "elk"]))
    np.savez(FOLDER / "words.npz", X=small.astype(np.float32), y=np.array(["dog", "cat", "dog", "cat"]))
    np.savez(FOLDER / "mean.npz", X=small, y=labels, mean_image=np.full(6, 2.5))
    regression()
    others(small, colours[0])


def regression() -> None:
    """Targets that are numbers: target `k` of sample `i` is i / 4 - k."""
    targets = np.arange(4)[:, None] / 4 - np.arange(2)
    np.savez(
        FOLDER / "regression.npz",
        X_train=pixels(4, 6),
        y_train=targets.astype(np.float32),
        X_test=pixels(2, 6),
        y_test=targets[:2].astype(np.float16),
        target_names=np.array(["height", "width"]),
    )
    np.save(FOLDER / "f2.npy", np.array([[0, 1, -2.5], [65504, 2.0**-24, -(2.0**-14)]], dtype=np.float16))


def others(small: np.ndarray, image: np.ndarray) -> None:
    """The formats that NumPy does not write, each once: tests/formats/ makes more; the fuzzer begins so."""
    sizes = struct.pack(">3I", 4, 2, 3)
    (FOLDER / "images.idx").write_bytes(b"\0\0\x08\x03" + sizes + small.tobytes())
    rows = [",".join(map(str, row)) + f",class {row[0] % 2}" for row in small]
    table = "\n".join(["a,b,c,d,e,f,label", *rows]) + "\n"
    (FOLDER / "table.csv").write_text(table)
    (FOLDER / "table.csv.gz").write_bytes(gzip.compress(table.encode(), mtime=0))
    (FOLDER / "table.csv.bz2").write_bytes(bz2.compress(table.encode()))
    (FOLDER / "table.csv.xz").write_bytes(lzma.compress(table.encode()))
    (FOLDER / "table.csv.zst").write_bytes(zstandard.compress(table.encode()))
    with tarfile.open(FOLDER / "batch.tar", "w", format=tarfile.USTAR_FORMAT) as archive:
        entry = tarfile.TarInfo("cifar-10-batches-py/data_batch_1")
        batch = (FOLDER / "batch-python2.pickle").read_bytes()
        entry.size = len(batch)
        archive.addfile(entry, io.BytesIO(batch))
    Image.fromarray(image).save(FOLDER / "colours.png")
    Image.fromarray(image).save(FOLDER / "colours.jpg", quality=95)
    Image.fromarray(image[:, :, 0]).save(FOLDER / "grey.png")
    for ending in ["bmp", "gif", "tiff", "webp"]:
        Image.fromarray(image).save(FOLDER / f"colours.{ending}")
    sparse_files()
    hdf5_files()
    typed_tables()


def element(kind: int, content: bytes) -> bytes:
    return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)


def mat_array(name: str, shape: tuple[int, ...], values: bytes) -> bytes:
    """A packed array of bytes, as MATLAB's `save -v7` keeps it."""
    parts = [
        element(6, struct.pack("<II", 9, 0)),
        element(5, struct.pack(f"<{len(shape)}i", *shape)),
        element(1, name.encode()),
        element(2, values),
    ]
    packed = zlib.compress(element(14, b"".join(parts)))
    return struct.pack("<II", 15, len(packed)) + packed


def typed_tables() -> None:
    """One table as the programs write it that have columns of types; typed.csv is the same as text."""
    count = 60
    row = np.arange(count)
    table = pd.DataFrame(
        {
            "whole": row * 7 % 11,
            "real": np.where(row % 5 == 3, np.nan, row / 4 - 2),
            "small": (row % 3).astype(np.uint8),
            "member": row % 4 < 2,
            "city": np.array(["Rome", "Oslo", "Lima"])[row % 3],
            "level": pd.Categorical(np.array(["low", "high"])[row % 2]),
            "joined": pd.Timestamp("2024-02-27") + pd.to_timedelta(row * 6, unit="h"),
            "born": pd.to_datetime(pd.Timestamp("1990-01-01") + pd.to_timedelta(row, unit="D")).date,
            "note": [None if i % 7 == 0 else f"n{i % 2}" for i in row],
            "bought": np.array(["no", "yes"])[row * row % 3],
        }
    )
    table.to_csv(FOLDER / "typed.csv", index=False)
    shuffled = table.set_index(pd.Index(row * row))
    shuffled.to_parquet(FOLDER / "typed.parquet")
    table.to_parquet(FOLDER / "typed-groups.parquet", row_group_size=16)
    table.to_feather(FOLDER / "typed.feather")
    polars = pl.from_pandas(table)
    polars.write_parquet(FOLDER / "typed-polars.parquet")
    polars.write_ipc(FOLDER / "typed-polars.arrow", compression="zstd")
    with pa.ipc.new_stream(FOLDER / "typed.arrows", pa.Table.from_pandas(table).schema) as stream:
        stream.write_table(pa.Table.from_pandas(table), max_chunksize=25)


def hdf5_files() -> None:
    """The arrays of splits.npz and regression.npz, with filters and without, in the file and in groups."""
    with np.load(FOLDER / "splits.npz") as arrays, h5py.File(FOLDER / "splits.h5", "w") as file:
        for name in arrays.files:
            values = arrays[name]
            packed = {"chunks": True, "compression": "gzip", "shuffle": True} if values.ndim > 1 else {}
            file.create_dataset(name, data=values, **packed)
    with np.load(FOLDER / "regression.npz") as arrays, h5py.File(FOLDER / "groups.h5", "w", libver="latest") as file:
        for name in arrays.files:
            values = arrays[name]
            words = values.dtype.kind == "U"
            path = name if words else "/".join(reversed(name.split("_")))
            file.create_dataset(path, data=values.astype(h5py.string_dtype()) if words else values)


def sparse_files() -> None:
    header = b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM"
    arrays = mat_array("X", (2, 3, 1, 4), bytes(range(24))) + mat_array("y", (4, 1), bytes([1, 10, 2, 1]))
    (FOLDER / "images.mat").write_bytes(header + arrays)
    (FOLDER / "sparse.svm").write_bytes(b"# made here\n+1 qid:3 2:0.5 4:-1e1 # more\n-1\n+1 1:7\n")


if __name__ == "__main__":
    main()
