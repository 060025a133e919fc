"""One eye or two without a face, from the picture to mask, tables and words."""

from __future__ import annotations

import csv
import json

import cv2
import numpy as np
import pytest

import dmask
from dmask import _core
from dmask.cli import main
from dmask.environment import MODELS_DIR
from dmask.io.tables import FRAME_COLUMNS, LANDMARK_COLUMNS
from dmask.measure.close_up import NO_HEAD
from dmask.synthetic.slit_lamp import PUPIL_MM, slit_lamp_patient

SECONDS = 2.0


@pytest.fixture(scope="module")
def frames() -> list[tuple[np.ndarray, dict[str, float]]]:
    return list(slit_lamp_patient(SECONDS))


@pytest.fixture(scope="module")
def clip(frames, tmp_path_factory):
    """The right eye alone; and the same in a mirror, a left one."""
    from fractions import Fraction

    from dmask.io.video import VideoWriter

    folder = tmp_path_factory.mktemp("close_up")
    for name, turn in (
        ("od", lambda frame: frame),
        ("os", lambda frame: np.ascontiguousarray(frame[:, ::-1])),
    ):
        height, width = frames[0][0].shape[:2]
        writer = VideoWriter(folder / f"{name}.mp4", width, height, Fraction(1, 30), Fraction(30))
        for frame, truth in frames:
            writer.write(turn(frame), truth["time_s"])
        writer.close()
    return folder


@pytest.fixture(scope="module")
def results(clip):
    for name in ("od", "os"):
        assert main(["run", str(clip / f"{name}.mp4"), "-o", str(clip / f"{name}_out"), "--measures"]) == 0
    return clip


def rows(path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def detector(**options):
    return _core.Detector(MODELS_DIR, face_detector_path=face_detector(), **options)


def face_detector() -> str:
    return str(next(MODELS_DIR.glob("face_detection_yunet*.onnx")))


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("view", ["auto", "eyes", "eye"])
def test_an_eye_without_a_face_is_found_and_its_side_told(frames, view, mirrored):
    frame = frames[0][0][:, ::-1] if mirrored else frames[0][0]
    seen = detector(view=view).detect(np.ascontiguousarray(frame), 0.0)
    assert seen.close_up and not seen.face_found
    assert (seen.od_in_view, seen.os_in_view) == ((False, True) if mirrored else (True, False))
    assert seen.laterality == ("os" if mirrored else "od") and seen.side_confidence > 0.9
    eye = seen.os if mirrored else seen.od
    assert eye.iris[0, 2] > 0.5 and (eye.globe[:, 2] > 0).all()
    # The inner canthus is beside the nose.
    assert (eye.lid[0, 0] < eye.lid[10, 0]) == mirrored


def test_a_face_is_all_that_is_looked_for_where_a_face_is_asked_for(frames):
    seen = detector(view="face").detect(frames[0][0], 0.0)
    assert not seen.face_found and not seen.close_up


@pytest.mark.parametrize("side", ["od", "os"])
def test_the_caller_knows_the_side_better(frames, side):
    seen = detector(view="eye", eye=side).detect(frames[0][0], 0.0)
    assert seen.laterality == side and seen.side_confidence == 1


@pytest.mark.parametrize("level", [0, 128, 255])
def test_no_eye_is_invented(level):
    blank = np.full((480, 640, 3), level, np.uint8)
    noisy = np.clip(blank + np.random.default_rng(1).normal(0, 12, blank.shape), 0, 255).astype(np.uint8)
    for picture in (blank, noisy):
        seen = detector(view="auto").detect(picture, 0.0)
        assert not seen.close_up and not seen.face_found


def test_an_eye_is_followed_through_blinks_and_lost_when_it_goes(frames):
    looks = detector(view="eye")
    tracks = {looks.detect(frame, truth["time_s"]).track for frame, truth in frames}
    assert tracks == {1}
    away = np.full_like(frames[0][0], 200)
    last_s = frames[-1][1]["time_s"]
    gone = [looks.detect(away, last_s + 0.03 * k) for k in range(1, 11)]
    assert not gone[-1].close_up
    assert all(seen.od.iris[0, 2] < 0.5 for seen in gone)
    back = looks.detect(frames[0][0], last_s + 10)
    for k in range(6):
        back = looks.detect(frames[0][0], last_s + 11 + 0.1 * k)
    assert back.close_up and back.track == 2


@pytest.mark.parametrize("turn_deg", [-40, 40])
@pytest.mark.parametrize("share", [0.12, 1.0])
def test_eyes_are_found_small_and_turned(frames, turn_deg, share):
    frame = frames[0][0]
    height, width = frame.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn_deg, share)
    matrix[:, 2] += [80, -40]
    placed = cv2.warpAffine(frame, matrix, (width, height), flags=cv2.INTER_AREA, borderValue=(60, 70, 80))
    straight = detector(view="eye").detect(frame, 0.0)
    seen = detector(view="eye").detect(placed, 0.0)
    assert seen.close_up
    wanted = straight.od.lid[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    width_px = np.linalg.norm(wanted[10] - wanted[0])
    assert np.median(np.linalg.norm(seen.od.lid[:, :2] - wanted, axis=1)) < 0.06 * width_px


def test_tables_hold_one_eye_and_its_side_in_their_last_column(results):
    assert FRAME_COLUMNS[-1] == LANDMARK_COLUMNS[-1] == "laterality"
    for eye, other in (("od", "os"), ("os", "od")):
        table = rows(results / f"{eye}_out" / "frames.csv")
        assert list(table[0])[-1] == "laterality" and len(table) == round(SECONDS * 30)
        for row in table:
            assert (row["face_valid"], row["face_reason"], row["laterality"]) == ("0", "no_face", eye)
            assert row[f"{other}_reason"] == "not_in_view" and row[f"{other}_openness"] == ""
            assert row["head_yaw_deg"] == row["distance"] == row["deviation_yaw_sd_deg"] == ""
        valid = [row for row in table if row[f"{eye}_valid"] == "1"]
        assert len(valid) > 0.7 * len(table)
        assert abs(np.median([float(row[f"{eye}_yaw_deg"]) for row in valid])) < 0.3  # against where it rests


def test_what_is_measured_is_near_the_truth(results, frames):
    table = rows(results / "od_out" / "frames.csv")
    truth = [entry for _, entry in frames]
    rest = np.median([entry["od_yaw_deg"] for entry in truth])

    def error(name: str, less: float = 0.0) -> float:
        pairs = [(float(row[name]), entry[name] - less) for row, entry in zip(table, truth, strict=True)
                 if row[name] and np.isfinite(entry[name])]  # fmt: skip
        return float(np.median([abs(a - b) for a, b in pairs]))

    assert error("od_yaw_deg", rest) < 1.0
    assert error("od_pfh_mm") < 1.0 and error("od_mrd1_mm") < 1.0
    pupils = [float(row["od_pupil_mm"]) for row in table if row["od_pupil_mm"]]
    assert not pupils or abs(np.median(pupils) - PUPIL_MM) < 1.5


def test_both_eyes_of_a_mirrored_pair_measure_the_same(results):
    one, other = (rows(results / f"{eye}_out" / "frames.csv") for eye in ("od", "os"))
    for name, sign in (("pfh_mm", 1), ("yaw_deg", -1)):
        pairs = [
            (float(a[f"od_{name}"]), sign * float(b[f"os_{name}"]))
            for a, b in zip(one, other, strict=True)
            if a[f"od_{name}"] and b[f"os_{name}"]
        ]
        assert np.median([abs(a - b) for a, b in pairs]) < 0.8


def test_the_summary_says_that_it_is_a_close_up(results):
    told = json.loads((results / "od_out" / "summary.json").read_text())
    assert (told["view"], told["laterality"]) == ("eye", "od")
    assert any("close-up" in sentence for sentence in told["statements"])
    assert told["deviation_os_minus_od"]["horizontal_deg"]["median"] is None
    assert not any(flag.get("eye") == "os" for flag in told["flags"])
    assert json.loads((results / "od_out" / "run.json").read_text())["input"]["frames_with_eyes"] == 60


def test_measures_of_a_head_are_not_measured(results):
    told = {(row["measure"], row["eye"]): row for row in rows(results / "od_out" / "measures.csv")}
    assert told["alignment.head_turn_deg", "both"]["value"] == ""
    assert any(row["reason"] == NO_HEAD for row in told.values())
    assert not any(row["value"] for (_, eye), row in told.items() if eye == "os")
    assert told["lids.fissure_mm", "od"]["value"] != ""


def test_the_table_of_landmarks_leaves_the_other_eye_empty(clip, tmp_path):
    assert main(["detect", str(clip / "os.mp4"), "-o", str(tmp_path / "landmarks.csv"), "--view", "eye"]) == 0
    row = rows(tmp_path / "landmarks.csv")[0]
    assert row["laterality"] == "os" and row["face_0_x"] == "" and row["od_lid_0_x"] == ""
    assert float(row["os_lid_0_x"]) > 0 and float(row["os_iris_0_c"]) > 0 and float(row["os_globe_0_c"]) > 0


def test_a_close_up_where_a_face_is_asked_for_is_said(clip, tmp_path, capsys):
    code = main(["run", str(clip / "od.mp4"), "-o", str(tmp_path / "out"), "--view", "face"])
    assert code == 1 and "no face was found" in capsys.readouterr().err


def test_a_pixel_s_size_sets_the_millimetres(frames):
    frame = frames[0][0]
    fissures = []
    for factor in (1.0, 1.2):
        options = dmask.Options(view="eye", mm_per_px=factor * 56 / 960)
        result = dmask.Pipeline(options).process(frame, 0.0)
        fissures.append(result.od.pfh_mm)
    assert fissures[1] / fissures[0] == pytest.approx(1.2, abs=0.04)


def test_neither_colour_nor_texture_of_an_iris_reaches_the_mask(frames):
    frame = frames[0][0]
    pipeline = dmask.Pipeline(dmask.Options(view="eye"))
    detection = pipeline.detect(frame, 0.0)
    pipeline.calibrate([detection])
    masks = []
    for colour in ((255, 80, 0), (40, 60, 90)):
        centre, radius = detection.od.iris[0, :2], 40
        painted = frame.copy()
        disc = np.zeros(frame.shape[:2], np.uint8)
        cv2.circle(disc, tuple(int(v) for v in centre), radius, 255, -1)
        painted[(disc > 0) & (frame.max(2) > 30)] = colour
        other = pipeline.detect(painted, 0.0)
        assert other.close_up
        for name in ("lid", "iris", "pupil", "globe", "crease", "upper", "lower", "bulge"):
            setattr(other.od, name, getattr(detection.od, name))  # all but what was seen of the colour
        masks.append(pipeline.render(pipeline.fit(other)))
    assert np.array_equal(*masks)
    assert (masks[0][0, 0] == masks[0][-1, -1]).all()  # plain background about the window


@pytest.mark.parametrize("profile", ["clinical", "article", "strict"])
def test_profiles_hold_for_close_ups(frames, profile):
    pipeline = dmask.Pipeline(dmask.Options(view="eye", profile=profile))
    result = pipeline.process(frames[0][0], 0.0)
    assert result.close_up and result.od.valid
    assert np.isfinite(result.od.pfh_mm) == np.isfinite(result.od.mrd1_mm) == (profile != "strict")
    assert pipeline.subject.close_up


def test_a_track_of_a_close_up_draws_the_same_mask(results, tmp_path):
    out = results / "od_out"
    assert main(["render", str(out / "track.dmask"), "-o", str(tmp_path / "again.mp4")]) == 0
    pictures = []
    for path in (out / "mask.mp4", tmp_path / "again.mp4"):
        video = cv2.VideoCapture(str(path))
        pictures.append(video.read()[1])
    assert np.array_equal(*pictures)


def test_the_demo_has_an_eye(tmp_path, capsys):
    assert main(["demo", "--view", "eye", "--seconds", "1", "-o", str(tmp_path / "demo")]) == 0
    assert "od_pfh_mm" in capsys.readouterr().out
