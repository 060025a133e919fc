"""Files of rendered training pictures: an earlier one is replaced only where that was asked for."""

import numpy as np
import pytest

from dmask.errors import WrongUse
from dmask.train.data.shards import write_shards


def some(first, count):
    return {"images": np.full((count, 2), first, np.uint8)}


def images(path):
    with np.load(path) as arrays:
        return arrays["images"]


def test_pictures_go_into_files_of_so_many(tmp_path, capsys):
    write_shards(tmp_path / "train.npz", some, 0, 5, 2, "eyes")
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"train_00{k}.npz" for k in range(3)]
    assert [len(images(tmp_path / f"train_00{k}.npz")) for k in range(3)] == [2, 2, 1]
    assert capsys.readouterr().out.splitlines()[-1] == "train_002.npz: 1 eyes"


def test_an_earlier_file_is_kept_and_nothing_rendered_unless_it_may_be_replaced(tmp_path):
    write_shards(tmp_path / "train.npz", some, 2, 2, 2, "eyes")
    rendered = []

    def other(first, count):
        rendered.append(first)
        return {"images": np.full((count, 2), 99, np.uint8)}

    with pytest.raises(WrongUse, match=r"train_001\.npz exists already.*--overwrite"):
        write_shards(tmp_path / "train.npz", other, 0, 4, 2, "eyes")
    assert not rendered and (images(tmp_path / "train_001.npz") == 2).all()
    write_shards(tmp_path / "train.npz", other, 0, 4, 2, "eyes", overwrite=True)
    assert rendered == [0, 2] and (images(tmp_path / "train_001.npz") == 99).all()
