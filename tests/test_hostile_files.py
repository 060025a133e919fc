"""Tracks whose bytes or numbers were changed: a sentence, and never half a mask."""

import hashlib

import numpy as np
import pytest

from dmask import cli
from dmask.io import container


@pytest.fixture(scope="module")
def arrays(tmp_path_factory, patient_video):
    """Of a whole track."""
    out = tmp_path_factory.mktemp("run") / "out"
    assert cli.main(["run", str(patient_video), "-o", str(out)]) == 0
    return container.read(out / "track.dmask")


def write_sealed(path, arrays):
    """As a track, with the checksum that its reader expects."""
    container.write(path, {n: a for n, a in arrays.items() if n != "sha256"} | {"sha256": np.zeros(32, "u1")})
    content = path.read_bytes()[:-32]
    path.write_bytes(content + hashlib.sha256(content).digest())


def refusal(capsys, track, out):
    assert cli.main(["render", str(track), "-o", str(out)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("dmask: ") and error.count("\n") == 1
    assert not out.exists()
    return error


def test_a_sealed_copy_is_a_track(arrays, tmp_path):
    write_sealed(tmp_path / "track.dmask", arrays)
    assert cli.main(["render", str(tmp_path / "track.dmask"), "-o", str(tmp_path / "mask.mp4")]) == 0


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("time_base", np.array([1, 0]), "clock ticks"),
        ("rate", np.array([-30, 1]), "a rate"),
        ("rate", np.array([30]), "expected i64(2,)"),
        ("rate", np.array([np.inf, 1.0]), "rate is f64"),
        ("size", np.array([32, 1 << 20], np.int32), "pixels"),
        ("time_s", np.linspace(1.0, 0.5, 24), "do not rise"),
        ("time_s", np.full(24, np.nan), "do not rise"),
        ("time_s", np.array([0.0]), "24 frames and 1 times"),
        ("rows", np.zeros(0, np.float32), "expected f32(any,any,)"),
        ("rows", np.zeros((24, 3), np.float32), "other models"),
        ("rows", np.full((24, 3), np.nan, np.float32), "not finite"),
        ("subject", np.array([0, np.inf, 1, 1], np.float32), "not finite"),
        ("subject", np.array([9, 40, 1, 1], np.float32), "got profile 9"),
        ("subject", np.array([0, 179, 1, 1], np.float32), "from 5 to 150"),
        ("od_shape", np.zeros(2, np.float32), "eyelid shape weights"),
    ],
)
def test_a_track_with_absurd_content_is_refused(arrays, tmp_path, capsys, name, value, said):
    write_sealed(tmp_path / "track.dmask", arrays | {name: value})
    assert said in refusal(capsys, tmp_path / "track.dmask", tmp_path / "mask.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["track.dmask"]


def test_a_track_of_the_first_version_says_to_run_again(arrays, tmp_path, capsys):
    old = {name: array for name, array in arrays.items() if name not in ("version", "sha256")}
    container.write(tmp_path / "track.dmask", old)
    error = refusal(capsys, tmp_path / "track.dmask", tmp_path / "mask.mp4")
    assert "version 1" in error and "`dmask run`" in error


def test_a_changed_byte_is_refused(arrays, tmp_path, capsys):
    write_sealed(tmp_path / "track.dmask", arrays)
    whole = (tmp_path / "track.dmask").read_bytes()
    for at in np.random.default_rng(0).integers(0, len(whole), 40).tolist():
        changed = bytearray(whole)
        changed[at] ^= 0x10
        (tmp_path / "track.dmask").write_bytes(changed)
        assert "is not a whole track" in refusal(capsys, tmp_path / "track.dmask", tmp_path / "mask.mp4")


def test_bytes_behind_the_last_array_are_refused(tmp_path):
    path = tmp_path / "x.dmm"
    container.write(path, {"a": np.arange(5, dtype=np.int32)})
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(container.ContainerError, match="where its last array ends"):
        container.read(path)


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
