"""`dmask run` and `dmask render`: the files, their columns and their agreement."""

import csv
import json
import shutil

import av
import cv2
import numpy as np
import pytest
from conftest import background, with_exif, write_video

from dmask import cli, options
from dmask.environment import MODELS_DIR
from dmask.io import container
from dmask.io.tables import FRAME_COLUMNS, read_frames
from dmask.run import recording

EYE = (
    "valid,reason,yaw_deg,pitch_deg,yaw_sd_deg,pitch_sd_deg,reflex_yaw_deg,reflex_pitch_deg,"
    "reflex_yaw_sd_deg,reflex_pitch_sd_deg,mrd1_mm,mrd2_mm,pfh_mm,mrd1_sd_mm,"
    "mrd2_sd_mm,pfh_sd_mm,openness,px_per_deg,eyeball_residual_pct,eyelid_residual_pct,pupil_mm"
).split(",")
HEADER = (
    (
        "frame,time_s,face_valid,face_reason,head_yaw_deg,head_pitch_deg,head_roll_deg,"
        "head_yaw_sd_deg,head_pitch_sd_deg,head_roll_sd_deg,head_x_mm,head_y_mm,head_z_mm"
    ).split(",")
    + [f"{eye}_{name}" for eye in ("od", "os") for name in EYE]
    + ["deviation_yaw_sd_deg", "deviation_pitch_sd_deg", "distance", "laterality"]
)


@pytest.fixture(scope="module")
def result(tmp_path_factory, patient_video):
    out = tmp_path_factory.mktemp("run") / "out"
    assert cli.main(["run", str(patient_video), "-o", str(out)]) == 0
    return out


def frames_of(path):
    with av.open(str(path)) as video:
        return [(frame.time, frame.to_ndarray(format="bgr24")) for frame in video.decode(video=0)]


def test_the_five_files_are_there_and_nothing_else(result):
    names = {path.name for path in result.iterdir()}
    assert names == {"mask.mp4", "frames.csv", "track.dmask", "summary.json", "run.json"}
    assert {path.name for path in result.parent.iterdir()} == {"out"}


def test_frames_csv_has_the_promised_columns_and_a_row_a_frame(result, patient_frames):
    with (result / "frames.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == HEADER == list(FRAME_COLUMNS)
    assert [int(row["frame"]) for row in rows] == list(range(len(patient_frames)))
    assert [float(row["time_s"]) for row in rows] == pytest.approx(
        [i / 30 for i in range(len(rows))], abs=1e-6
    )
    for row in rows:
        assert row["face_valid"] in ("0", "1") and row["od_valid"] in ("0", "1")
        assert not any(value.lower() in ("nan", "inf", "none") for value in row.values())
    assert np.mean([row["face_valid"] == "1" for row in rows]) > 0.9


def test_a_row_that_is_not_valid_has_a_reason_and_no_numbers(tmp_path, patient_frames):
    height, width = patient_frames[0].shape[:2]
    video = write_video(tmp_path / "in.mp4", [*patient_frames[:9], *[background(width, height)] * 9])
    assert cli.main(["run", str(video), "-o", str(tmp_path / "out")]) == 0
    frames = read_frames(tmp_path / "out" / "frames.csv")
    for eye in ("od", "os"):
        invalid = frames[f"{eye}_valid"] == 0
        assert invalid.any() and not invalid.all()
        assert (frames[f"{eye}_reason"][invalid] != "").all()
        assert (frames[f"{eye}_reason"][~invalid] == "").all()
        assert np.isnan(frames[f"{eye}_yaw_deg"][invalid]).all()


def test_the_strict_profile_lets_no_millimetres_of_the_lids_out(tmp_path, patient_video):
    assert cli.main(["run", str(patient_video), "-o", str(tmp_path / "out"), "--profile", "strict"]) == 0
    frames = read_frames(tmp_path / "out" / "frames.csv")
    assert np.isfinite(frames["od_openness"]).any()
    for name in ("mrd1_mm", "mrd2_mm", "pfh_mm"):
        assert np.isnan(frames[f"od_{name}"]).all() and np.isnan(frames[f"os_{name}"]).all()


def test_the_mask_has_the_inputs_size_and_times(result, patient_video, patient_frames):
    mask, source = frames_of(result / "mask.mp4"), frames_of(patient_video)
    assert [time_s for time_s, _ in mask] == pytest.approx([time_s for time_s, _ in source])
    assert mask[0][1].shape == patient_frames[0].shape


def test_render_draws_the_same_mask_to_the_byte(result, tmp_path):
    assert cli.main(["render", str(result / "track.dmask"), "-o", str(tmp_path / "mask.mp4")]) == 0
    assert (tmp_path / "mask.mp4").read_bytes() == (result / "mask.mp4").read_bytes()


@pytest.mark.parametrize("profile", ["article", "strict"])
def test_render_draws_the_same_mask_under_the_other_profiles(tmp_path, patient_video, profile):
    out = tmp_path / "out"
    words = ["--profile", profile, "--no-eyebrows", "--hfov-deg", "30"]
    assert cli.main(["run", str(patient_video), "-o", str(out), *words]) == 0
    assert cli.main(["render", str(out / "track.dmask"), "-o", str(tmp_path / "mask.mp4")]) == 0
    assert (tmp_path / "mask.mp4").read_bytes() == (out / "mask.mp4").read_bytes()


def test_render_takes_the_models_that_the_track_was_made_with(tmp_path, patient_video):
    models, out = tmp_path / "models", tmp_path / "out"
    shutil.copytree(MODELS_DIR, models)
    face = container.read(models / "face.dmm")
    container.write(models / "face.dmm", face | {"albedo": 0.5 * face["albedo"]})
    assert cli.main(["run", str(patient_video), "-o", str(out), "--models", str(models)]) == 0
    for words, same in ((["--models", str(models)], True), ([], False)):
        drawn = tmp_path / f"{same}.mp4"
        assert cli.main(["render", str(out / "track.dmask"), "-o", str(drawn), *words]) == 0
        assert (drawn.read_bytes() == (out / "mask.mp4").read_bytes()) == same


def test_a_track_without_a_face_renders_the_plain_background(tmp_path):
    cv2.imwrite(str(tmp_path / "in.png"), background())
    assert cli.main(["run", str(tmp_path / "in.png"), "-o", str(tmp_path / "out")]) == 1
    assert cli.main(["render", str(tmp_path / "out" / "track.dmask"), "-o", str(tmp_path / "mask.png")]) == 0
    assert np.ptp(cv2.imread(str(tmp_path / "mask.png"))) == 0


def test_nothing_names_the_source_or_the_day(result, patient_video):
    for name in ("track.dmask", "summary.json", "run.json", "mask.mp4", "frames.csv"):
        content = (result / name).read_bytes()
        assert patient_video.name.encode() not in content
        assert str(patient_video.parent).encode() not in content
    report = json.loads((result / "run.json").read_text())
    assert not any(word in json.dumps(report).lower() for word in ("path", "date", '"time"', "host", "user"))


def test_the_track_holds_parameters_only(result, patient_frames):
    arrays = container.read(result / "track.dmask")
    assert arrays["rows"].shape[0] == arrays["time_s"].shape[0] == len(patient_frames)
    assert arrays["rows"].dtype == np.float32
    assert arrays["size"].tolist() == [patient_frames[0].shape[1], patient_frames[0].shape[0]]
    assert arrays["rows"].nbytes < 4000 * len(patient_frames)


def test_run_json_names_versions_models_options_and_stages(result):
    report = json.loads((result / "run.json").read_text())
    assert {"dmask", "openvino", "numpy", "av", "python"} <= set(report["versions"])
    assert report["options"]["profile"] == "clinical" and report["options"]["hfov_deg"] == 40.0
    assert len(report["models_sha256"]) >= 5
    assert all(len(digest) == 64 for digest in report["models_sha256"].values())
    for name in ("decode", "render", "encode", "frame_to_mask"):
        assert 0 < report["stages"][name]["p50_ms"] <= report["stages"][name]["p95_ms"]
    assert report["mask"] == {"padded_columns": 0, "padded_rows": 0}
    assert report["calibration"]["ok"] is True


def test_summary_json_speaks_for_each_eye_and_says_what_it_rests_on(result):
    summary = json.loads((result / "summary.json").read_text())
    for eye in ("od", "os"):
        assert {"median", "iqr"} <= set(summary[eye]["yaw_deg"])
        assert 0 <= summary[eye]["share_of_frames"].get("valid", 0) <= 1
        assert {"complete", "partial", "per_minute"} <= set(summary[eye]["blinks"])
    assert "median_pd" in summary["deviation_os_minus_od"]["horizontal_deg"]
    text = " ".join(summary["statements"])
    assert "several degrees" in text and "field of view" in text and "adult" in text


def test_an_odd_size_is_padded_and_said(tmp_path, patient_frames):
    frames = [frame[:-1, :-1] for frame in patient_frames[:4]]
    assert cli.main(["run", str(write_video(tmp_path / "in.mp4", frames)), "-o", str(tmp_path / "out")]) == 0
    height, width = patient_frames[0].shape[:2]
    assert frames_of(tmp_path / "out" / "mask.mp4")[0][1].shape == (height, width, 3)
    report = json.loads((tmp_path / "out" / "run.json").read_text())
    assert report["mask"] == {"padded_columns": 1, "padded_rows": 1}


def test_a_picture_gives_a_picture(tmp_path, patient_frames):
    cv2.imwrite(str(tmp_path / "in.png"), patient_frames[0])
    out = tmp_path / "out"
    assert cli.main(["run", str(tmp_path / "in.png"), "-o", str(out)]) == 0
    mask = cv2.imread(str(out / "mask.png"))
    assert mask.shape == patient_frames[0].shape
    assert len((out / "frames.csv").read_text().splitlines()) == 2
    assert cli.main(["render", str(out / "track.dmask"), "-o", str(tmp_path / "again.png")]) == 0
    assert np.abs(cv2.imread(str(tmp_path / "again.png")).astype(int) - mask).max() <= 2


def test_a_photographs_field_of_view_is_its_own_unless_one_is_given(tmp_path, patient_frames):
    source = tmp_path / "in"
    source.mkdir()
    jpeg = cv2.imencode(".jpg", patient_frames[0])[1].tobytes()
    (source / "phone.jpg").write_bytes(with_exif(jpeg, focal_mm=28, taken=None))
    (source / "then.jpg").write_bytes(jpeg)

    def told(*words):
        assert cli.main(["run", str(source), "-o", str(tmp_path / "out"), "--overwrite", *words]) == 0
        reports = [
            json.loads((tmp_path / "out" / name / "run.json").read_text()) for name in ("phone", "then")
        ]
        return [report["options"]["hfov_deg"] for report in reports], reports[0]["input"]["notes"]

    height, width = patient_frames[0].shape[:2]
    own = round(np.degrees(2 * np.arctan(0.5 * width * np.hypot(36, 24) / (28 * np.hypot(width, height)))))
    fields, notes = told()
    assert fields == [own, 40.0] and f"{own:g} degrees" in notes[0]
    fields, notes = told("--hfov-deg", "50")
    assert fields == [50.0, 50.0] and not notes
    fields, notes = told("--hfov-deg", "40")  # the usual one, which somebody asked for
    assert fields == [40.0, 40.0] and not notes
    (source / "phone.jpg").write_bytes(with_exif(jpeg, focal_mm=2, taken=None))  # that no option may be
    fields, notes = told()
    assert fields == [40.0, 40.0] and not notes


def test_overwriting_a_videos_results_with_a_pictures_leaves_one_mask(tmp_path, patient_frames):
    out = tmp_path / "out"
    assert cli.main(["run", str(write_video(tmp_path / "in.mp4", patient_frames[:3])), "-o", str(out)]) == 0
    cv2.imwrite(str(tmp_path / "in.png"), patient_frames[0])
    assert cli.main(["run", str(tmp_path / "in.png"), "-o", str(out), "--overwrite"]) == 0
    assert (out / "mask.png").exists() and not (out / "mask.mp4").exists()


def test_a_folder_gives_an_item_each_and_batch_csv(tmp_path, patient_frames, capsys):
    source = tmp_path / "in"
    source.mkdir()
    write_video(source / "first.mp4", patient_frames[:6])
    cv2.imwrite(str(source / "second.png"), patient_frames[0])
    write_video(source / "third.mp4", [background()] * 3)
    assert cli.main(["run", str(source), "-o", str(tmp_path / "out")]) == 0
    with (tmp_path / "out" / "batch.csv").open(newline="") as file:
        rows = {row["item"]: row for row in csv.DictReader(file)}
    assert {name: (row["status"], row["frames"]) for name, row in rows.items()} == {
        "first": ("done", "6"),
        "second": ("done", "1"),
        "third": ("no_face", "3"),
    }
    assert (tmp_path / "out" / "second" / "mask.png").exists()
    assert (tmp_path / "out" / "third" / "mask.mp4").exists()


def test_an_item_that_fails_is_a_row_and_the_rest_is_done(tmp_path, patient_frames, capsys):
    source = tmp_path / "in"
    source.mkdir()
    (source / "bad.mp4").write_text("nothing")
    cv2.imwrite(str(source / "good.png"), patient_frames[0])
    assert cli.main(["run", str(source), "-o", str(tmp_path / "out")]) == 1
    with (tmp_path / "out" / "batch.csv").open(newline="") as file:
        rows = {row["item"]: row for row in csv.DictReader(file)}
    assert rows["bad"]["status"] == "failed" and rows["bad"]["reason"]
    assert rows["good"]["status"] == "done"
    assert not (tmp_path / "out" / "bad").exists()


def test_anonymous_ids_keep_the_names_out(tmp_path, patient_frames):
    source = tmp_path / "in"
    source.mkdir()
    cv2.imwrite(str(source / "mary-jones.png"), patient_frames[0])
    (source / "john-smith.mp4").write_text("nothing")
    (source / "smith-letter.txt").write_text("Dear Mr Jones")
    cli.main(["run", str(source), "-o", str(tmp_path / "out"), "--anonymous-ids"])
    for path in (tmp_path / "out").rglob("*"):
        assert "jones" not in path.name and "smith" not in path.name
        if path.is_file():
            assert b"jones" not in path.read_bytes() and b"smith" not in path.read_bytes()
    assert len(list((tmp_path / "out").glob("*/mask.png"))) == 1


def test_frames_after_the_calibration_scan_are_streamed(tmp_path, monkeypatch, patient_frames):
    monkeypatch.setattr(recording, "CALIBRATION_SCAN_FRAMES", 10)
    video = write_video(tmp_path / "in.mp4", patient_frames)
    assert cli.main(["run", str(video), "-o", str(tmp_path / "out")]) == 0
    frames = read_frames(tmp_path / "out" / "frames.csv")
    assert frames["frame"].tolist() == list(range(len(patient_frames)))
    assert len(frames_of(tmp_path / "out" / "mask.mp4")) == len(patient_frames)


def test_overlapping_stages_change_nothing_but_the_time(tmp_path, monkeypatch, patient_frames):
    monkeypatch.setattr(recording, "CALIBRATION_SCAN_FRAMES", 10)
    video = write_video(tmp_path / "in.mp4", patient_frames)
    for threads in ("1", "3"):
        out = tmp_path / threads
        assert cli.main(["run", str(video), "-o", str(out), "--threads", threads, "--precision", "f32"]) == 0
    for name in ("frames.csv", "track.dmask", "mask.mp4", "summary.json"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "3" / name).read_bytes(), name


def test_a_face_that_appears_after_the_first_scan_is_still_calibrated(tmp_path, monkeypatch, patient_frames):
    monkeypatch.setattr(recording, "CALIBRATION_SCAN_FRAMES", 8)
    height, width = patient_frames[0].shape[:2]
    frames = [background(width, height)] * 9 + patient_frames[:15]
    assert cli.main(["run", str(write_video(tmp_path / "in.mp4", frames)), "-o", str(tmp_path / "out")]) == 0
    assert json.loads((tmp_path / "out" / "run.json").read_text())["calibration"]["ok"] is True
    valid = read_frames(tmp_path / "out" / "frames.csv")["face_valid"]
    assert valid[:8].sum() == 0 and valid[-4:].sum() == 4


def test_auto_says_in_one_line_what_it_chose_and_why(tmp_path, capsys, patient_frames):
    video = write_video(tmp_path / "in.mp4", patient_frames[:3])
    assert cli.main(["run", str(video), "-o", str(tmp_path / "a")]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("backend ")]
    if options.nvidia_gpu_is_here():
        assert line.startswith(("backend cpu: OpenVINO, since TensorRT", "backend tensorrt: TensorRT "))
    else:  # nobody waits for a GPU
        assert line == "backend cpu: OpenVINO"
    assert cli.main(["run", str(video), "-o", str(tmp_path / "b"), "--backend", "cpu"]) == 0
    assert "backend " not in capsys.readouterr().out
    assert json.loads((tmp_path / "b" / "run.json").read_text())["backend"] == "cpu"


def test_auto_says_what_a_gpu_lacks_where_there_is_one(tmp_path, capsys, monkeypatch, patient_frames):
    from dmask import _core

    if not _core.gpu_status()["problem"]:
        pytest.skip("a GPU is here, and can be used")
    monkeypatch.setattr(options, "nvidia_gpu_is_here", lambda: True)
    cv2.imwrite(str(tmp_path / "in.png"), patient_frames[0])
    assert cli.main(["run", str(tmp_path / "in.png"), "-o", str(tmp_path / "a")]) == 0
    assert "since TensorRT cannot be used: " in capsys.readouterr().out


def test_tensorrt_without_a_gpu_says_what_is_missing(tmp_path, capsys, patient_frames):
    from dmask import _core

    if not _core.gpu_status()["problem"]:
        pytest.skip("a GPU is here")
    video = write_video(tmp_path / "in.mp4", patient_frames[:3])
    assert cli.main(["run", str(video), "-o", str(tmp_path / "out"), "--backend", "tensorrt"]) == 1
    said = capsys.readouterr().err
    assert "backend tensorrt cannot be used: " in said and "--backend cpu" in said
    assert not (tmp_path / "out").exists()


def test_progress_is_drawn_only_when_asked_for(tmp_path, capsys, patient_frames):
    video = write_video(tmp_path / "in.mp4", patient_frames)
    assert cli.main(["run", str(video), "-o", str(tmp_path / "a")]) == 0
    assert capsys.readouterr().err == ""
    assert cli.main(["run", str(video), "-o", str(tmp_path / "b"), "--progress"]) == 0
    assert "\r" in capsys.readouterr().err


def test_a_real_clip(tmp_path, shared):
    clip = shared / "data" / "clips" / "lp_d0.mp4"
    assert cli.main(["run", str(clip), "-o", str(tmp_path / "out")]) == 0
    frames = read_frames(tmp_path / "out" / "frames.csv")
    assert frames["frame"].size == 78
    assert frames["face_valid"].mean() > 0.95
    assert np.nanmedian(frames["od_pfh_mm"]) == pytest.approx(10, abs=4)
