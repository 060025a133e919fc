"""Live sources: the newest frame wins, and nothing is lost without being said."""

import json
import threading
import time

import cv2
import numpy as np
import pytest

from dmask import cli
from dmask.io import live
from dmask.io.live import Newest
from dmask.io.tables import read_frames
from dmask.io.video import Frame


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
    assert np.all(np.diff(rows["time_s"]) > 0)
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
    assert cli.main(["run", "0", "-o", str(tmp_path / "out")]) == 0
    rows = read_frames(tmp_path / "out" / "frames.csv")
    assert len(rows["frame"]) == 5
    assert json.loads((tmp_path / "out" / "run.json").read_text())["input"]["kind"] == "live"


def test_a_camera_that_is_not_there_is_a_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(live.cv2, "VideoCapture", FakeCamera)
    assert cli.main(["run", "7", "-o", str(tmp_path / "out")]) == 1
    assert "camera 7 cannot be opened" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("arguments", [["--seconds", "0", "--live"], ["--seconds", "3"]])
def test_wrong_use_of_live_options_exits_2(tmp_path, capsys, arguments):
    (tmp_path / "in").mkdir()
    assert cli.main(["run", str(tmp_path / "in"), "-o", str(tmp_path / "out"), *arguments]) == 2
    assert "expected" in capsys.readouterr().err
