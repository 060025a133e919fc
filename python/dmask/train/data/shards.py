"""Rendered training pictures: made one by one from (seed, index), written in files of a few thousand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from dmask.errors import WrongUse

Arrays = dict[str, np.ndarray]


def render_all(
    render_one: Callable[[np.random.Generator], tuple[np.ndarray, dict]],
    dtypes: dict[str, type],
    seed: int,
    first: int,
    count: int,
) -> Arrays:
    """`images`, the labels named in `dtypes`, `seed` and `index` of pictures first .. first + count - 1."""
    pairs = [render_one(np.random.default_rng([seed, first + k])) for k in range(count)]
    labels = {name: np.array([row[name] for _, row in pairs], dtype) for name, dtype in dtypes.items()}
    return {
        "images": np.stack([image for image, _ in pairs]),
        **labels,
        "seed": np.full(count, seed, np.int64),
        "index": first + np.arange(count),
    }


def write_shards(
    output: Path,
    render: Callable[[int, int], Arrays],
    first: int,
    count: int,
    shard: int,
    what: str,
    overwrite: bool = False,
) -> None:
    """Writes render(first, count) to `output`, or in files of `shard` pictures, NAME_000.npz and so on.

    Each appears whole, under a temporary name before. Raises WrongUse, before anything is rendered.
    """
    if output.suffix != ".npz" or output.is_dir():
        raise WrongUse(f"got {output} as output; expected the name of a file that ends in .npz")
    size = shard or count
    starts = range(first, first + count, size)
    names = [f"{output.stem}_{start // size:03d}.npz" if shard else f"{output.stem}.npz" for start in starts]
    if not overwrite and (there := [name for name in names if output.with_name(name).exists()]):
        raise WrongUse(
            f"{output.with_name(there[0])} exists already; give --overwrite to replace it, or another name"
        )
    for start, name in zip(starts, names, strict=True):
        arrays = render(start, min(size, first + count - start))
        partial = output.with_name(name + ".partial")
        with partial.open("wb") as file:
            np.savez(file, **arrays)
        partial.rename(output.with_name(name))
        print(f"{name}: {len(arrays['images'])} {what}", flush=True)
