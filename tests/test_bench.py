"""`dmask bench` on a small synthetic patient, and `dmask bench compare`. No timing is asserted."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from dmask import cli
from dmask.evaluate import benchmark
from dmask.evaluate.bench_report import compare_lines
from dmask.run import recording
from dmask.run.stages import DETECT, FIT, Stages

COLUMNS = {"p50_ms", "p95_ms", "p99_ms", "max_ms"}
FRAMES = 60


@pytest.fixture(scope="module")
def report(tmp_path_factory, patient_video) -> dict:
    """Both modes, each in its own process; too short for the steady state behind the calibration's scan."""
    path = tmp_path_factory.mktemp("bench") / "report.json"
    arguments = ["bench", "--video", str(patient_video), "--frames", str(FRAMES), "--warmup", "10"]
    assert cli.main([*arguments, "--linear", "--json", str(path)]) == 0
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def long_report(tmp_path_factory, patient_video) -> dict:
    """Stages overlapping, behind a scan of ten frames."""
    path = tmp_path_factory.mktemp("bench") / "report.json"
    arguments = ["bench", "--video", str(patient_video), "--frames", str(FRAMES), "--warmup", "5"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recording, "CALIBRATION_SCAN_FRAMES", 10)
        assert cli.main([*arguments, "--threads", "2", "--json", str(path)]) == 0
    return json.loads(path.read_text())


def test_the_report_has_the_promised_keys(report):
    names = {"decode", "preprocess", "net_face", "net_eyelid", *FIT, "encode", "frame_to_mask"}
    assert names <= set(report["stages"]) <= {"decode", *DETECT, *FIT, "encode", "frame_to_mask"}
    for part in (report, report["overlapped"]):
        assert all(set(row) == COLUMNS for row in part["stages"].values())
        for name in ("throughput_fps", "cold_start_ms", "peak_rss_mb", "hardware", "threads", "versions"):
            assert name in part
        assert set(part["realtime_factor"]) == {"30", "60", "120"}
    assert (report["threads"], report["overlapped"]["threads"]) == (1, 2)
    assert {"cpu", "logical_cpus", "governor", "frequency_mhz"} <= set(report["hardware"])


def test_the_numbers_agree_with_each_other(report):
    for part in (report, report["overlapped"]):
        assert part["frames"] == FRAMES and part["frames_with_face"] == FRAMES
        assert part["cold_start_ms"] > 0 and part["peak_rss_mb"] > 50
        for row in part["stages"].values():
            assert 0 < row["p50_ms"] <= row["p95_ms"] <= row["p99_ms"] <= row["max_ms"]
        whole = part["stages"]["frame_to_mask"]
        assert part["frame_to_mask_p99_over_p50"] == pytest.approx(
            whole["p99_ms"] / whole["p50_ms"], abs=1e-3
        )
        assert part["realtime_factor"]["30"] == pytest.approx(part["throughput_fps"] / 30, abs=2e-3)
    stages = report["stages"]
    fits_ms = sum(stages[name]["p50_ms"] for name in ("fit_face", "fit_eyelid", "fit_eyeball"))
    assert fits_ms < stages["frame_to_mask"]["max_ms"]


def test_a_short_run_claims_no_steady_state(report):
    assert report["sustained_fps"] is None and report["decode_to_encode"] is None
    assert report["steady_from_frame"] == 10


def test_a_long_run_says_how_long_a_frame_takes_from_decoding_to_encoding(long_report):
    assert long_report["steady_from_frame"] == 10 + 3 * recording.PREFETCHED_FRAMES + 5
    assert long_report["sustained_fps"] > 0
    assert long_report["realtime_factor"]["30"] == pytest.approx(long_report["sustained_fps"] / 30, abs=2e-3)
    # A frame that is under way among others takes longer than its own work.
    assert long_report["decode_to_encode"]["p50_ms"] > long_report["stages"]["frame_to_mask"]["p50_ms"]


def test_the_cost_of_frames_is_reported_for_n_and_2n(report):
    linear = report["linear"]
    assert linear["frames"] == [FRAMES // 2, FRAMES]
    assert linear["ratio"] == pytest.approx(linear["seconds"][1] / linear["seconds"][0], abs=0.01)


def test_the_report_says_backend_precision_and_versions_and_no_path(report, patient_video):
    assert report["backend"] == "cpu" and report["backend_reason"]
    assert report["precision"] in ("f32", "bf16")
    assert report["versions"]["openvino"] != "not installed"
    assert report["commit"] is None or re.fullmatch(r"[0-9a-f]{10}\+?", report["commit"])
    for text in (str(patient_video), patient_video.stem, str(Path.home())):
        assert text not in json.dumps(report)


def test_the_text_names_the_articles_times_as_other_hardware(tmp_path, capsys, patient_video):
    arguments = ["bench", "--video", str(patient_video), "--frames", "24", "--warmup", "2"]
    assert cli.main([*arguments, "--threads", "1"]) == 0
    said = capsys.readouterr().out
    assert "7 / 14 / 4 ms" in said and "other hardware" in said and "GTX 1080" in said
    assert "frame_to_mask p99/p50" in said and "stages one after another" in said
    assert "stages overlapping" not in said


def test_a_video_is_played_over_and_over_with_its_times_running_on(patient_video):
    played = benchmark.Played(patient_video, 1, 60)
    times_s = [frame.time_s for frame in played]
    played.close()
    assert np.allclose(times_s, np.arange(60) / 30, atol=1e-3)


def test_stages_leave_out_the_warm_up_and_the_frames_without_them():
    stages = Stages()
    for ms in (100.0, 0.0, 2.0, 0.0):
        stages.take({"net_face": ms}, ("net_face", "net_iris"))
    assert stages.summary()["net_face"]["max_ms"] == 100.0
    assert stages.summary(first=1) == {"net_face": dict.fromkeys(COLUMNS, 2.0)}
    assert stages.decode_to_encode() is None and stages.frames_per_s() is None


def saved(folder: Path, name: str, report: dict) -> str:
    path = folder / name
    path.write_text(json.dumps(report))
    return str(path)


def test_comparing_a_report_with_itself_gives_ratios_of_one(tmp_path, capsys, report):
    path = saved(tmp_path, "a.json", report)
    assert cli.main(["bench", "compare", path, path]) == 0
    said = capsys.readouterr().out
    assert said.startswith("same hardware, versions and settings")
    ratios = re.findall(r"_ms +\d\S* +\d\S* +(\d\S*)$", said, re.MULTILINE)
    assert len(ratios) > 20 and set(ratios) == {"1.00"}


def test_comparing_says_what_differs_and_how_much_longer_it_took(report):
    other = json.loads(json.dumps(report))
    other["hardware"]["cpu"] = "another processor"
    other["versions"]["openvino"] = "1.0"
    other["hardware"]["frequency_mhz"] = 1
    for row in other["stages"].values():
        row["p50_ms"] *= 2
    lines = compare_lines(report, other)
    assert lines[0].startswith("different hardware cpu: ") and lines[0].endswith("| another processor")
    assert lines[1].startswith("different versions openvino: ") and not lines[2]
    assert next(line for line in lines if line.startswith("frame_to_mask p50_ms")).split()[-1] == "2.00"


def test_a_stage_of_one_report_only_has_no_ratio(report):
    other = json.loads(json.dumps(report))
    del other["stages"]["render"]
    row = next(line for line in compare_lines(report, other) if line.startswith("render p50_ms"))
    assert row.split()[-2:] == ["-", "-"]


@pytest.mark.parametrize(
    ("content", "said"),
    [("{", "is not JSON"), ("[]", "has no stages"), ('{"stages": {}}', "has no hardware")],
)
def test_what_is_no_report_is_wrong_use(tmp_path, capsys, content, said):
    path = tmp_path / "a.json"
    path.write_text(content)
    assert cli.main(["bench", "compare", str(path), str(path)]) == 2
    assert said in capsys.readouterr().err


def test_wrong_use_is_said_before_any_work(tmp_path, capsys):
    assert cli.main(["bench", "compare", str(tmp_path / "a.json"), str(tmp_path / "b.json")]) == 2
    assert "does not exist" in capsys.readouterr().err
    assert cli.main(["bench", "--frames", "10", "--warmup", "10"]) == 2
    assert "--warmup 10" in capsys.readouterr().err
    assert cli.main(["bench", "--video", str(tmp_path / "none.mp4")]) == 2
    assert cli.main(["bench", "--threads", "-1"]) == 2


def test_an_error_of_a_modes_process_is_said_once(tmp_path, capsys):
    video = tmp_path / "broken.mp4"
    video.write_bytes(b"not a video")
    assert cli.main(["bench", "--video", str(video)]) == 1
    said = capsys.readouterr().err
    assert said.count("dmask: ") == 1 and "not a video" in said
