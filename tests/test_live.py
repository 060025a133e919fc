"""Live sources: the newest frame wins, and nothing is lost without being said."""

import csv
import json
import shutil
import signal
import subprocess
import sys
import threading
import time

import av
import cv2
import numpy as np
import pytest
from conftest import take_interrupts

from dmask import cli
from dmask.errors import Error
from dmask.io import live
from dmask.io.live import Newest, folder_frames
from dmask.io.tables import read_frames
from dmask.io.video import Frame, VideoReader


def frames_at(times_s):
    for time_s in times_s:
        yield Frame(time_s, np.zeros((16, 16, 3), np.uint8))


def test_a_slow_reader_gets_the_newest_and_learns_what_it_missed():
    taken, missed = [], []
    for frame, _, dropped_s in Newest(frames_at(range(50))):
        time.sleep(0.02)  # all others arrive meanwhile
        taken.append(frame.time_s)
        missed += dropped_s
    assert taken[-1] == 49
    assert sorted(taken + missed) == list(range(50))
    assert len(taken) <= 3


def test_an_error_of_the_source_comes_after_its_last_frame():
    def breaks():
        yield from frames_at([0])
        raise OSError("unplugged")

    seen = []
    with pytest.raises(OSError, match="unplugged"):
        for frame, _, _ in Newest(breaks()):
            seen.append(frame.time_s)
    assert seen == [0]


def test_a_folder_being_filled_is_masked_as_it_fills(tmp_path, patient_frames, capsys):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    cv2.imwrite(str(folder / "old.png"), patient_frames[0])  # was there before: not part of it

    def fill():
        time.sleep(0.5)
        for number in range(40):
            done, data = cv2.imencode(".jpg", patient_frames[number % len(patient_frames)])
            path = folder / f"{number:03d}.jpg"
            path.write_bytes(data.tobytes()[: data.size // 2])  # seen half-written first
            time.sleep(0.01)
            path.write_bytes(data.tobytes())
            time.sleep(0.04)
        (folder / "notes.txt").write_text("no picture")

    filler = threading.Thread(target=fill)
    filler.start()
    assert cli.main(["run", str(folder), "-o", str(out), "--live", "--seconds", "6"]) == 0
    filler.join()
    run = json.loads((out / "run.json").read_text())
    rows = read_frames(out / "frames.csv")
    dropped = rows["face_reason"] == "dropped"
    assert rows["frame"].tolist() == list(range(40))
    assert dropped.sum() == run["live"]["frames_dropped"]
    assert np.all(np.diff(rows["time_s"]) > 0) and rows["time_s"][0] == 0
    assert np.isnan(rows["od_openness"][dropped]).all()
    assert rows["face_valid"][~dropped][-1] == 1
    assert run["live"]["arrival_to_mask"]["p50_ms"] > 0
    assert any("no pictures" in note for note in run["input"]["notes"])
    assert "dropped; frame to mask" in capsys.readouterr().out


class FakeCamera:
    """Stands in for cv2.VideoCapture: five frames, then the plug is pulled."""

    def __init__(self, number):
        self.left = 5 if number == 0 else 0
        self.opened = number == 0

    def isOpened(self):  # noqa: N802 - OpenCV's name
        return self.opened

    def set(self, name, value):
        return True

    def read(self):
        time.sleep(0.2)
        self.left -= 1
        return self.left >= 0, self.frame

    def release(self):
        pass


def test_a_camera_is_masked_until_it_stops(tmp_path, monkeypatch, patient_frames):
    FakeCamera.frame = patient_frames[0]
    monkeypatch.setattr(live.cv2, "VideoCapture", FakeCamera)
    assert cli.main(["run", "0", "-o", str(tmp_path / "out"), "--legend"]) == 0
    rows = read_frames(tmp_path / "out" / "frames.csv")
    assert len(rows["frame"]) == 5
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert run["input"]["kind"] == "live"
    frames = [frame.bgr for frame in VideoReader(tmp_path / "out" / "mask.mp4")]
    assert {len(frame) for frame in frames} == {len(FakeCamera.frame) + run["mask"]["legend_rows"]}


@pytest.mark.parametrize(
    ("failure", "code", "said"),
    [
        (OSError(28, "No space left on device"), 1, "No space left"),
        (Error("the disk sighs"), 1, "the disk sighs"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_a_run_that_fails_midway_says_what_it_leaves(
    tmp_path, monkeypatch, patient_frames, capsys, failure, code, said
):
    FakeCamera.frame = patient_frames[0]
    monkeypatch.setattr(live.cv2, "VideoCapture", FakeCamera)

    def fails(*whatever):
        raise failure

    monkeypatch.setattr("dmask.run.results.Results.finish", fails)
    assert cli.main(["run", "0", "-o", str(tmp_path / "out")]) == code
    sentence = capsys.readouterr().err
    assert said in sentence and f"are kept in {tmp_path / 'out'}" in sentence
    assert "half done" not in sentence
    assert len(read_frames(tmp_path / "out" / "frames.csv")["frame"]) == 5


def test_a_run_that_is_stopped_in_its_first_frame_keeps_nothing_and_says_so(
    tmp_path, monkeypatch, patient_frames, capsys
):
    FakeCamera.frame = patient_frames[0]
    monkeypatch.setattr(live.cv2, "VideoCapture", FakeCamera)

    def stopped(*whatever):
        raise KeyboardInterrupt

    monkeypatch.setattr("dmask.run.results.Results.add", stopped)
    assert cli.main(["run", "0", "-o", str(tmp_path / "out")]) == 1
    assert "stopped during its first frame" in capsys.readouterr().err
    assert not any((tmp_path / "out").iterdir())


def test_a_camera_that_fails_before_its_first_frame_leaves_the_earlier_results(tmp_path, monkeypatch, capsys):
    class Broken(FakeCamera):
        def read(self):
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(live.cv2, "VideoCapture", Broken)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "frames.csv").write_text("earlier\n")
    assert cli.main(["run", "0", "-o", str(tmp_path / "out"), "--overwrite"]) == 1
    assert "nothing half done is left" in capsys.readouterr().err
    assert (tmp_path / "out" / "frames.csv").read_text() == "earlier\n"


def test_a_camera_that_is_not_there_is_a_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(live.cv2, "VideoCapture", FakeCamera)
    assert cli.main(["run", "7", "-o", str(tmp_path / "out")]) == 1
    assert "camera 7 cannot be opened" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "arguments", [["--seconds", "0", "--live"], ["--seconds", "3"], ["--live", "--resume"]]
)
def test_wrong_use_of_live_options_exits_2(tmp_path, capsys, arguments):
    (tmp_path / "in").mkdir()
    assert cli.main(["run", str(tmp_path / "in"), "-o", str(tmp_path / "out"), *arguments]) == 2
    assert "expected" in capsys.readouterr().err


@pytest.fixture
def watching(tmp_path):
    """Starts a live run of a folder in a process of its own; it is ended with the test."""
    processes = []

    def start(folder, out):
        command = [sys.executable, "-u", "-m", "dmask", "run", str(folder), "-o", str(out), "--live"]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=take_interrupts
        )
        processes.append(process)
        process.stdout.readline()  # the backend: it is about to look
        time.sleep(0.5)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def fill(folder, frames, until, limit_s=60):
    """Pictures, a few a second, until `until()`; fails after `limit_s`."""
    start_s = time.monotonic()
    number = 0
    while not until():
        assert time.monotonic() - start_s < limit_s
        partial = folder / ".partial"
        partial.write_bytes(cv2.imencode(".png", frames[number % len(frames)])[1].tobytes())
        partial.rename(folder / f"{number:05d}.png")
        number += 1
        time.sleep(0.1)


def rows_in(out):
    path = out / "frames.csv"
    return max(0, len(path.read_text().splitlines()) - 1) if path.exists() else 0


def test_the_first_ctrl_c_ends_an_idle_folder(tmp_path, watching):
    (tmp_path / "in").mkdir()
    process = watching(tmp_path / "in", tmp_path / "out")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 1
    assert "no frame came" in process.stderr.read()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


def test_a_killed_live_run_leaves_its_rows_and_a_mask_that_can_be_read(tmp_path, watching, patient_frames):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    process = watching(folder, out)

    def some():
        lines = (out / "frames.csv").read_text().splitlines()[1:-1] if rows_in(out) > 10 else []
        masked_s = [float(line.split(",")[1]) for line in lines if "dropped" not in line]
        return len(masked_s) > 8 and masked_s[-1] - masked_s[2] > 2.5

    fill(folder, patient_frames, some)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=20)
    with (out / "frames.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 10 and all(None not in row.values() for row in rows)
    with av.open(str(out / "mask.mp4")) as mask:
        assert sum(1 for _ in mask.decode(video=0)) > 3
    assert not (out / "run.json").exists()
    threading.Timer(1.0, shutil.copy, (folder / "00000.png", folder / "zzz.png")).start()
    again = ["run", str(folder), "-o", str(out), "--live", "--seconds", "4", "--overwrite"]
    assert cli.main(again) == 0
    assert rows_in(out) == 1 and sorted(path.name for path in out.iterdir()) == [
        "frames.csv", "mask.mp4", "run.json", "summary.json", "track.dmask",
    ]  # fmt: skip
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]


def test_a_folder_that_disappears_ends_the_run_with_what_there_is(tmp_path, watching, patient_frames):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    process = watching(folder, out)
    fill(folder, patient_frames, lambda: rows_in(out) > 3)
    folder.rename(tmp_path / "away")
    assert process.wait(timeout=30) == 0, process.stderr.read()
    report = json.loads((out / "run.json").read_text())
    assert any("folder disappeared" in note for note in report["input"]["notes"])
    assert rows_in(out) == report["input"]["frames"]
    with av.open(str(out / "mask.mp4")) as mask:
        frames = sum(1 for _ in mask.decode(video=0))
        assert mask.streams.video[0].frames == frames  # no fragments are left
    assert frames == report["input"]["frames"] - report["live"]["frames_dropped"]


def with_thumbnail(jpeg):
    """A JPEG behind a small one in its header, which has an end marker of its own."""
    small = cv2.imencode(".jpg", np.full((16, 16, 3), 200, np.uint8))[1].tobytes()
    return jpeg[:2] + b"\xff\xe1" + (len(small) + 2).to_bytes(2, "big") + small + jpeg[2:]


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "webp", "tif", "ppm"])
def test_a_half_written_picture_is_waited_for_without_noise(tmp_path, capfd, suffix):
    noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    data = cv2.imencode(f".{suffix}", noise)[1].tobytes()
    data = with_thumbnail(data) if suffix == "jpg" else data
    stop, notes = threading.Event(), []
    frames = folder_frames(tmp_path, 5.0, notes, stop)

    def write():
        time.sleep(0.1)
        path = tmp_path / f"a.{suffix}"
        for part in range(8):
            with path.open("ab") as file:
                file.write(data[part * len(data) // 8 : (part + 1) * len(data) // 8])
            time.sleep(0.05)

    writer = threading.Thread(target=write)
    writer.start()
    frame = next(frames)
    writer.join()
    expected = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert np.array_equal(frame.bgr, expected)
    assert notes == [] and capfd.readouterr().err == ""
