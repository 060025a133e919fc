"""Tracks whose bytes or numbers were changed: a sentence, and never half a mask."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from dmask import cli
from dmask.io import container

FUZZ = Path(__file__).parent.parent / "cpp" / "fuzz" / "fuzz_tracks.py"


@pytest.fixture(scope="module")
def fuzz():
    if not FUZZ.exists():
        pytest.skip("needs the checkout: cpp/fuzz is not there")
    spec = importlib.util.spec_from_file_location("fuzz_tracks", FUZZ)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_readers_of_tracks_say_what_is_wrong_in_one_line(fuzz):
    assert 0 < fuzz.run(cases=2000, seed=7) < 2000


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("time_base", np.array([1, 0]), "clock ticks"),
        ("rate", np.array([-30, 1]), "clock ticks"),
        ("rate", np.array([30]), "shape"),
        ("rate", np.array([np.inf, 1.0]), "float64"),
        ("size", np.array([32, 1 << 20], np.int32), "pixels"),
        ("time_s", np.array([1.0, 0.5]), "do not rise"),
        ("time_s", np.array([0.0, np.nan]), "do not rise"),
        ("time_s", np.array([0.0]), "2 frames and 1 times"),
        ("rows", np.zeros(0, np.float32), "shape"),
        ("rows", np.zeros((2, 3), np.float32), "other models"),
        ("subject", np.array([0, np.inf, 1, 1], np.float32), "damaged"),
    ],
)
def test_a_track_with_absurd_content_is_refused(fuzz, tmp_path, capsys, name, value, said):
    track = tmp_path / "track.dmask"
    container.write(track, dict(container.read(fuzz.SEED_FILE)) | {name: value})
    assert cli.main(["render", str(track), "-o", str(tmp_path / "mask.mp4")]) == 1
    error = capsys.readouterr().err
    assert error.startswith("dmask: ") and error.count("\n") == 1
    assert said in error or name in ("rows", "subject")  # with them, that the seed is of tiny models
    assert [path.name for path in tmp_path.iterdir()] == ["track.dmask"]


def test_an_array_that_claims_more_than_the_file_holds_is_refused(tmp_path):
    path = tmp_path / "x.dmask"
    container.write(path, {"a": np.zeros((0, 5), np.float32)})
    data = bytearray(path.read_bytes())
    data[29:37] = (2**63).to_bytes(8, "little")  # the second dimension
    path.write_bytes(data)
    with pytest.raises(container.ContainerError, match="shape"):
        container.read(path)


@pytest.mark.parametrize("name", ["two\nlines", ""])
def test_an_array_with_an_unprintable_name_is_refused(tmp_path, name):
    path = tmp_path / "x.dmask"
    container.write(path, {"y" * max(len(name), 1): np.zeros(3, np.float32)})
    if name:
        path.write_bytes(path.read_bytes().replace(b"y" * len(name), name.encode()))
    else:
        path.write_bytes(path.read_bytes()[:16] + b"\0\0" + path.read_bytes()[18:])
    with pytest.raises(container.ContainerError, match="printable|array|header"):
        container.read(path)


@pytest.mark.parametrize("name", ["two\nlines", "", "x" * 300])
def test_no_array_is_written_under_a_name_that_no_reader_takes(tmp_path, name):
    with pytest.raises(ValueError, match="printable"):
        container.write(tmp_path / "x.dmask", {name: np.zeros(3, np.float32)})
    assert not list(tmp_path.iterdir())
