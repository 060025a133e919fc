"""What nobody expected, too little memory, numbers that make no sense: a sentence, never a bare traceback."""

from __future__ import annotations

import hashlib
import os
import resource
import subprocess
import sys

import cv2
import numpy as np
import pytest
from conftest import write_video

from dmask import cli
from dmask.io import container


def dmask(*words, memory_mb=None, **environment):
    def limit():
        if memory_mb is not None:
            resource.setrlimit(resource.RLIMIT_AS, (memory_mb << 20, memory_mb << 20))

    command = [sys.executable, "-m", "dmask", *map(str, words)]
    done = subprocess.run(
        command, env=os.environ | environment, preexec_fn=limit, capture_output=True, text=True, timeout=120
    )
    return done.returncode, done.stderr


HIDDEN = """
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "scipy", "onnx"):
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Hidden())
from dmask import cli
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    "command",
    [
        ["train", "validate"],
        ["train", "validate", "face", "--models", "nowhere"],
        ["train", "face"],
        ["train", "render-faces", "--ict", "nowhere", "--count", "1", "-o", "x.npz"],
        ["face-model", "build", "--ict", "nowhere", "-o", "nowhere"],
        ["engines", "check"],
    ],
)
def test_a_missing_extra_is_named_in_a_sentence(command):
    done = subprocess.run(
        [sys.executable, "-c", HIDDEN, *command], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "which is not installed; in a checkout of dmask: pip install '.[" in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["demo", "--seconds", "0"],
        ["demo", "--seconds", "-1"],
        ["demo", "--seconds", "nan"],
        ["demo", "--seconds", "1e9"],
        ["eval", "synthetic", "--patients", "0"],
        ["eval", "synthetic", "--frames", "-3"],
        ["eval", "rendered", "--patients", "0"],
        ["eval", "rendered", "--size", "1"],
        ["train", "face", "--batch", "0"],
        ["train", "render-faces", "--ict", "x", "--count", "-1", "-o", "x.npz"],
        ["run", "in.mp4", "-o", "out", "--threads", "-1"],
        ["run", "in.mp4", "-o", "out", "--precision", "f8"],
    ],
)
def test_numbers_that_make_no_sense_are_wrong_use(tmp_path, capsys, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    assert cli.main(command) == 2
    assert "Traceback" not in capsys.readouterr().err and not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def results(tmp_path_factory, patient_frames):
    home = tmp_path_factory.mktemp("last")
    write_video(home / "in.mp4", patient_frames[:3])
    assert cli.main(["run", str(home / "in.mp4"), "-o", str(home / "out")]) == 0
    return home


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (400, 1), (1, 400), (16384, 2), (16384, 16384)])
def test_a_track_of_a_strange_size_is_drawn_or_refused(results, tmp_path, capsys, size):
    arrays = container.read(results / "out" / "track.dmask") | {"size": np.array(size, np.int32)}
    track = tmp_path / "track.dmask"
    container.write(track, arrays | {"sha256": np.zeros(32, np.uint8)})
    content = track.read_bytes()[:-32]
    track.write_bytes(content + hashlib.sha256(content).digest())
    code = cli.main(["render", str(track), "-o", str(tmp_path / "mask.mp4")])
    said = capsys.readouterr().err
    assert code in (0, 1) and said.count("\n") == code
    assert code == 0 or "the encoder cannot make a video of" in said
    assert (tmp_path / "mask.mp4").exists() == (code == 0)


@pytest.mark.parametrize("memory_mb", [700, 1000, 1400])
def test_too_little_memory_is_a_sentence(results, tmp_path, memory_mb):
    code, said = dmask("run", results / "in.mp4", "-o", tmp_path / "out", memory_mb=memory_mb)
    if code < 0:
        pytest.skip("a library of others ended the process before dmask began")
    assert "Traceback" not in said and code in (0, 1)
    if code == 1:
        assert said.startswith("dmask: ") or "\ndmask: " in said
        assert not (tmp_path / "out").exists()


def test_what_nobody_expected_is_a_sentence_and_shows_where_when_asked(tmp_path, capsys, monkeypatch):
    def broken(arguments):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("dmask.commands.doctor.run", broken)
    assert cli.main(["doctor"]) == 1
    said = capsys.readouterr().err
    assert "ZeroDivisionError" in said and "report it" in said and said.count("\n") == 1
    monkeypatch.setenv("DMASK_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        cli.main(["doctor"])


def test_a_threads_shortage_is_a_sentence(capsys, monkeypatch):
    def broken(arguments):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("dmask.commands.doctor.run", broken)
    assert cli.main(["doctor"]) == 1
    assert "--threads 1" in capsys.readouterr().err


def test_damaged_models_are_a_sentence(tmp_path, capsys):
    import shutil

    from dmask.environment import MODELS_DIR

    models = tmp_path / "models"
    shutil.copytree(MODELS_DIR, models, ignore=shutil.ignore_patterns("*.py", "cards", "open"))
    cv2.imwrite(str(tmp_path / "in.png"), np.zeros((64, 64, 3), np.uint8))
    for name in ("face68.onnx", "face_detection_yunet_2023mar.onnx", "face.dmm"):
        whole = (models / name).read_bytes()
        (models / name).write_bytes(whole[: len(whole) // 2])
        command = ["run", str(tmp_path / "in.png"), "-o", str(tmp_path / "out"), "--models", str(models)]
        assert cli.main(command) == 1
        said = capsys.readouterr().err
        assert said.startswith("dmask: ") and said.count("\n") == 1 and "fault of dmask" not in said
        (models / name).write_bytes(whole)
