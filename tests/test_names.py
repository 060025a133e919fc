"""Names that are no text, terminals without letters, streams that are closed: results, or a sentence."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from conftest import background, write_video

from dmask import cli
from dmask.io.picture import is_picture, read_picture

LATIN_1 = os.fsdecode(b"m\xfcller")  # not UTF-8
GREEK = "\u03b1\u03b2"
PLAIN = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}  # Python's streams are ASCII then


def dmask(*arguments, plain=False):
    command = [sys.executable, "-m", "dmask", *map(str, arguments)]
    environment = os.environ | (PLAIN if plain else {})
    done = subprocess.run(command, env=environment, capture_output=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def assert_no_traceback(*said):
    for text in said:
        assert b"Traceback" not in text and b"UnicodeEncodeError" not in text and b"Fatal" not in text, text


@pytest.fixture
def folder(tmp_path):
    """A folder whose name is no UTF-8 with a picture and a video in it whose names are none either."""
    folder = tmp_path / f"{LATIN_1}-in"
    folder.mkdir()
    (folder / f"{LATIN_1}.png").write_bytes(cv2.imencode(".png", background())[1].tobytes())
    write_video(folder / "video.mp4", [background()] * 2).rename(folder / f"{LATIN_1}-2.mp4")
    (folder / f"{GREEK}-bad.mp4").write_text("nothing")
    return folder


def test_a_picture_whose_name_is_no_utf_8_is_read(folder):
    path = folder / f"{LATIN_1}.png"
    assert is_picture(path)
    assert read_picture(path).shape == (120, 160, 3)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
def test_no_name_is_a_formula_to_a_spreadsheet_and_each_still_names_its_file(tmp_path, start):
    folder = tmp_path / "in"
    folder.mkdir()
    name = f"{start}1+1.png"
    (folder / name).write_bytes(cv2.imencode(".png", background())[1].tobytes())
    assert cli.main(["run", str(folder), "-o", str(tmp_path / "out")]) == 0
    assert cli.main(["detect", str(folder), "-o", str(tmp_path / "points.csv")]) == 0
    for table, start_in in (
        (tmp_path / "out" / "batch.csv", tmp_path / "out"),
        (tmp_path / "points.csv", folder),
    ):
        with table.open(encoding="utf-8", newline="") as file:
            cell = list(csv.reader(file))[1][0]
        assert cell.startswith("./")
        assert (start_in / cell).exists()


@pytest.mark.parametrize("plain", [False, True])
def test_a_folder_of_names_that_are_no_utf_8_is_run_and_listed(tmp_path, folder, plain):
    out = tmp_path / f"{LATIN_1}-out"
    code, printed, said = dmask("run", folder, "-o", out, "--progress", plain=plain)
    assert_no_traceback(printed, said)
    assert code == 1 and b"1 of 3 items failed" in said
    assert (out / LATIN_1 / "mask.png").is_file() and (out / f"{LATIN_1}-2" / "mask.mp4").is_file()
    with (out / "batch.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["item"]: row["status"] for row in csv.DictReader(file)}
    assert rows == {"m\\xfcller": "no_face", "m\\xfcller-2": "no_face", f"{GREEK}-bad": "failed"}
    assert os.fsencode(out) in printed  # on the terminal a name has the bytes that it has


@pytest.mark.parametrize("plain", [False, True])
def test_tables_tracks_and_sentences_take_such_names(tmp_path, folder, plain):
    table = tmp_path / f"{LATIN_1}.csv"
    code, printed, said = dmask("detect", folder, "-o", table, plain=plain)
    assert_no_traceback(printed, said)
    assert code == 1 and b"1 of 3 files could not be read" in said
    names = {line.split(",")[0] for line in table.read_text(encoding="utf-8").splitlines()[1:]}
    assert names == {"m\\xfcller.png", "m\\xfcller-2.mp4"}
    out = tmp_path / LATIN_1
    assert dmask("run", folder / f"{LATIN_1}.png", "-o", out, plain=plain)[0] == 1  # no face; files are there
    mask = tmp_path / f"{LATIN_1}.png"
    code, printed, said = dmask("render", out / "track.dmask", "-o", mask, plain=plain)
    assert code == 0, said
    code, printed, said = dmask("run", tmp_path / f"{LATIN_1}-none", "-o", out, plain=plain)
    assert code == 2 and os.fsencode(f"{LATIN_1}-none") in said
    code, printed, said = dmask("render", folder / f"{LATIN_1}.png", "-o", tmp_path / "b.png", plain=plain)
    assert_no_traceback(said)
    assert code == 1 and said.count(b"\n") == 1
    code, printed, said = dmask("run", out, "-o", tmp_path / "c", "--models", folder, plain=plain)
    assert_no_traceback(said)
    assert code == 2 and b"face.dmm" in said
    code, printed, said = dmask("run", out, "-o", tmp_path / "c", "--profile", LATIN_1, plain=plain)
    assert_no_traceback(said)
    assert code == 2 and b"invalid choice" in said


def test_models_may_lie_under_such_a_name(tmp_path, folder):
    import shutil

    from dmask.environment import MODELS_DIR

    models = tmp_path / f"{LATIN_1}-models"
    shutil.copytree(MODELS_DIR, models, ignore=shutil.ignore_patterns("*.py", "cards", "open"))
    out = tmp_path / "out.csv"
    code, _, said = dmask("detect", folder / f"{LATIN_1}.png", "-o", out, "--models", models)
    assert code == 0, said
    (models / "face68.onnx").unlink()
    code, _, said = dmask("detect", folder / f"{LATIN_1}.png", "-o", tmp_path / "b.csv", "--models", models)
    assert_no_traceback(said)
    assert code == 1 and os.fsencode(models) in said


@pytest.mark.parametrize("closed", ["1>&-", "2>&-", "0<&- 1>&- 2>&-", "2>/dev/full"])
def test_closed_streams_end_no_run_and_leave_no_noise(tmp_path, patient_frames, closed):
    cv2.imwrite(str(tmp_path / "in.png"), patient_frames[0])
    words = f"'{sys.executable}' -m dmask run {tmp_path}/in.png -o {tmp_path}/out --progress {closed}"
    done = subprocess.run(["sh", "-c", words], capture_output=True, timeout=120)
    assert_no_traceback(done.stdout, done.stderr)
    assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["frames.csv", "mask.png", "run.json", "summary.json", "track.dmask"]
    for name in ("run.json", "summary.json"):
        assert (tmp_path / "out" / name).read_bytes().startswith(b"{")


def test_a_full_standard_output_is_a_sentence():
    words = f"'{sys.executable}' -m dmask doctor >/dev/full"
    done = subprocess.run(["sh", "-c", words], capture_output=True, timeout=120)
    assert done.returncode == 1 and done.stderr.startswith(b"dmask: ") and done.stderr.count(b"\n") == 1


def test_a_reader_that_goes_away_is_no_traceback():
    words = f"'{sys.executable}' -m dmask doctor | true"
    done = subprocess.run(["bash", "-c", words], capture_output=True, timeout=120)
    assert_no_traceback(done.stderr)
    assert b"Exception ignored" not in done.stderr


def test_an_ascii_terminal_gets_every_help_and_the_demo_s_words(tmp_path):
    for command in (["--help"], ["demo", "--help"], ["run", "--help"], ["doctor"]):
        code, printed, said = dmask(*command, plain=True)
        assert_no_traceback(printed, said)
        assert code in (0, 1)


@pytest.mark.parametrize("name", ["pipe", "/dev/null"])
def test_a_pipe_or_a_device_is_refused_and_not_waited_for(tmp_path, name):
    path = Path(name) if name.startswith("/") else tmp_path / name
    if not path.exists():
        os.mkfifo(path)
    code, _, said = dmask("run", path, "-o", tmp_path / "out")
    assert code == 2 and b"expected a saved recording" in said
    cv2.imwrite(str(tmp_path / "in.png"), background())
    code, _, said = dmask("detect", tmp_path / "in.png", "-o", path, "--overwrite")
    assert code == 2 and b"no file but a device or a pipe" in said
    assert not path.is_file()


def test_a_pipe_in_a_folder_is_skipped_and_not_waited_for(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    os.mkfifo(folder / "z.mp4")
    cv2.imwrite(str(folder / "a.png"), background())
    code, _, said = dmask("run", folder, "-o", tmp_path / "out")
    assert_no_traceback(said)
    rows = list(csv.DictReader((tmp_path / "out" / "batch.csv").open()))
    assert code == 0 and {row["item"]: row["status"] for row in rows} == {"a": "no_face", "z.mp4": "skipped"}


@pytest.mark.parametrize("command", [("run",), ("detect",)])
def test_an_output_without_a_name_is_refused(tmp_path, monkeypatch, command):
    cv2.imwrite(str(tmp_path / "in.png"), background())
    monkeypatch.chdir(tmp_path)
    code, _, said = dmask(*command, tmp_path / "in.png", "-o", "", "--overwrite")
    assert code == 2 and b"got an empty name as output" in said
    assert os.listdir(tmp_path) == ["in.png"]
