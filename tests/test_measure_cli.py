"""`dmask measure` as a user calls it, and what it says to files that are not whole."""

import csv
import json
import shutil
from fractions import Fraction
from importlib.resources import files
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from conftest import write_video
from traces import blinking, traces

import dmask
from dmask import _core, cli
from dmask.io.tables import FRAME_COLUMNS, TEXT_COLUMNS, cell, read_frames
from dmask.measure import recording
from dmask.measure.files import MEASURE_FILES
from dmask.measure.record import nested
from dmask.measure.registry import MEASURES, measure, unit_of
from dmask.measure.settings import PRESETS, Settings, settings_of


def write_frames(path: Path, frames, columns=FRAME_COLUMNS) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        for i in range(frames["time_s"].size):
            row = (frames[name][i] for name in columns)
            table.writerow([str(value) if isinstance(value, str) else cell(float(value), 6) for value in row])
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    frames = traces(12.0)
    for eye in ("od", "os"):
        blinking(frames, eye, [3, 7])
    write_frames(tmp_path / "visit" / "frames.csv", frames)
    return tmp_path / "visit"


def run(*arguments) -> int:
    return cli.main([str(argument) for argument in arguments])


def test_measures_of_a_run_stand_beside_it(folder, capsys):
    assert run("measure", folder) == 0
    assert "2 not measured" not in capsys.readouterr().out
    told = json.loads((folder / "measures.json").read_text())
    mrd1 = told["lids"]["od"]["primary"]["mrd1_mm"]
    assert mrd1.pop("n") > 300
    assert mrd1 == {"value": 4.0, "unit": "mm", "low": 3.8, "high": 4.2, "reason": ""}
    assert told["recording"]["frames"] == 360 and told["recording"]["rate_fps"] == 30.0
    with (folder / "measures.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["measure", "eye", "condition", "value", "unit", "low", "high", "n", "reason"]
    mrd1 = next(row for row in rows if row["measure"] == "lids.mrd1_mm" and row["eye"] == "od")
    assert (mrd1["value"], mrd1["unit"], mrd1["condition"], mrd1["reason"]) == ("4", "mm", "primary", "")
    assert all(bool(row["value"]) != bool(row["reason"]) for row in rows), "a value, or why there is none"
    with (folder / "events.csv").open(newline="") as file:
        events = list(csv.DictReader(file))
    assert list(events[0]) == [
        "event", "eye", "onset_s", "duration_s", "amplitude", "unit", "complete", "condition",
    ]  # fmt: skip
    assert [(one["event"], one["eye"], one["complete"]) for one in events] == 2 * [
        ("blink", "od", "1"), ("blink", "os", "1"),
    ]  # fmt: skip


def test_python_gives_the_same_records(folder):
    assert run("measure", folder) == 0
    measured = recording(read_frames(folder / "frames.csv"))
    told = json.loads((folder / "measures.json").read_text())
    for group, tree in measured.nested().items():
        assert told[group] == json.loads(json.dumps(tree)), group


def test_measures_are_not_replaced_unasked(folder, capsys):
    assert run("measure", folder) == 0
    before = [(folder / name).read_bytes() for name in MEASURE_FILES]
    assert run("measure", folder) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert run("measure", folder, "--overwrite") == 0
    assert [(folder / name).read_bytes() for name in MEASURE_FILES] == before, "the same from the same"
    assert run("measure", folder, "-o", folder.parent / "apart") == 0
    assert sorted(path.name for path in (folder.parent / "apart").iterdir()) == sorted(MEASURE_FILES)


def test_a_table_alone_is_enough(folder, tmp_path):
    shutil.copy(folder / "frames.csv", tmp_path / "alone.csv")
    assert run("measure", tmp_path / "alone.csv", "-o", tmp_path / "out") == 0
    told = json.loads((tmp_path / "out" / "measures.json").read_text())
    assert told["recording"]["profile"] is None and told["recording"]["track"] is False


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda text: text.replace("time_s", "time", 1), "no column time_s"),
        (lambda text: "", "no column frame"),
        (lambda text: text.replace("0.033333", "soon", 1), "line 3"),
        (lambda text: "\n".join(text.split("\n")[:40]) + "\n1,2\n", "line 41"),
        (lambda text: text.replace("0.066667", "0.0", 1), "time in line 4"),
        (lambda text: text.split("\n")[0] + "\n", "no row"),
        (lambda text: text.replace(",4.000000,", ",inf,", 1), "inf is no measurement"),
    ],
)
def test_a_damaged_table_is_one_sentence(folder, damage, said, capsys):
    table = folder / "frames.csv"
    table.write_text(damage(table.read_text()))
    assert run("measure", folder) == 1
    error = capsys.readouterr().err
    assert error.startswith("dmask: ") and error.count("\n") == 1 and said in error
    assert not (folder / "measures.json").exists()


@pytest.mark.parametrize(
    "missing", ["od_mrd1_mm", "head_yaw_deg", "deviation_yaw_sd_deg", "os_reflex_yaw_deg"]
)
def test_a_column_that_an_older_table_lacks_is_not_measured(tmp_path, missing):
    frames = traces(8.0)
    write_frames(tmp_path / "frames.csv", frames, [name for name in FRAME_COLUMNS if name != missing])
    assert run("measure", tmp_path) == 0
    told = json.loads((tmp_path / "measures.json").read_text())
    if missing == "od_mrd1_mm":
        assert told["lids"]["od"]["primary"]["mrd1_mm"]["value"] is None
        assert told["lids"]["os"]["primary"]["mrd1_mm"]["value"] == 4.0


@pytest.mark.parametrize("seconds", [0.034, 0.5, 2.0])
def test_short_recordings_are_measured_or_say_why_not(tmp_path, seconds):
    write_frames(tmp_path / "frames.csv", traces(seconds))
    assert run("measure", tmp_path) == 0
    with (tmp_path / "measures.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            assert bool(row["value"]) != bool(row["reason"]), row


def test_gaps_and_a_clock_that_varies_do_not_matter():
    time_s = np.sort(np.random.default_rng(2).uniform(0, 20, 500))
    time_s = time_s[(time_s < 8) | (time_s > 12)]
    frames = blinking(blinking(traces(time_s=time_s), "od", [4], 0.4), "os", [4], 0.4)
    told = recording(frames).nested()
    assert told["blinks"]["od"]["rate_per_min"]["n"] == 1
    assert told["lids"]["od"]["primary"]["mrd1_mm"]["value"] == 4.0


def test_nothing_measured_says_why_everywhere():
    frames = traces(5.0)
    for name, values in frames.items():
        if name in TEXT_COLUMNS:
            frames[name] = np.full(values.size, "" if name == "distance" else "no_face")
        elif name not in ("time_s", "frame"):
            frames[name] = np.full(values.size, 0.0 if name.endswith("_valid") else np.nan)
    measured = recording(frames, {"profile": "clinical"})
    assert not measured.events
    told = {record.measure: record.value for record in measured.records if record.value is not None}
    assert told == {"fixation.data_loss_share": 1.0, "fixation.effective_frequency_hz": 0.0}
    for record in measured.records:
        assert (record.value is None) == bool(record.reason), record
        assert record.low is record.high is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--set", "upgaze_deg"], "NAME=NUMBER"), (["--set", "upgaze_deg=far"], "NAME=NUMBER"),
        (["--set", "upgaze=3"], "called upgaze"), (["--set", "upgaze_deg=300"], "expected 5 to 40"),
        (["--set", "upgaze_deg=nan"], "expected 5 to 40"), (["--preset", "best"], "preset best"),
    ],
)  # fmt: skip
def test_wrong_thresholds_are_wrong_use(folder, given, said, capsys):
    assert run("measure", folder, *given) == 2
    assert said in capsys.readouterr().err


def test_no_folder_no_run_and_a_damaged_run(tmp_path, folder, capsys):
    assert run("measure", tmp_path / "nowhere") == 2
    assert "frames.csv" in capsys.readouterr().err
    (folder / "run.json").write_text("{")
    assert run("measure", folder) == 1
    assert "run.json is damaged" in capsys.readouterr().err


def test_every_measure_has_a_unit_in_its_name_a_source_and_a_setting_has_one_too():
    recording(traces(1.0))
    for one in MEASURES.values():
        assert one.name.count(".") == 1 and unit_of(one.name) == one.unit
        assert one.what and one.source
    for name, field in Settings.__dataclass_fields__.items():
        low, high = field.metadata["range"]
        assert field.metadata["what"] and field.metadata["source"], name
        assert low <= field.default <= high, name
    for name in PRESETS:
        assert settings_of(name, {})


def test_a_measure_of_ones_own_joins_the_others():
    @measure("own.width_mm", "made up", "this test")
    def width(recording):
        yield from ()

    try:
        assert "own.width_mm" in MEASURES
        with pytest.raises(ValueError, match="two measures"):
            measure("own.width_mm", "again", "this test")(width)
        with pytest.raises(ValueError, match="ends in its unit"):
            measure("own.width", "no unit", "this test")(width)
    finally:
        del MEASURES["own.width_mm"]


def test_records_nest_by_group_eye_condition_and_name():
    records = recording(traces(3.0)).records
    tree = nested(records)
    for record in records:
        group, name = record.measure.split(".")
        branch = tree[group][record.eye]
        branch = branch[record.condition] if record.condition else branch
        assert branch[name]["value"] == record.value and branch[name]["reason"] == record.reason


def test_a_track_of_another_recording_is_refused(folder, tmp_path, capsys):
    track = _core.Track(64, 48, time_base=Fraction(1, 90000), rate=Fraction(30))
    pipeline = dmask.Pipeline(dmask.Options(backend="cpu"))
    track.add(pipeline.fit(pipeline.detect(np.zeros((48, 64, 3), np.uint8), 0.0)).track_row, 0.0)
    track.write(str(folder / "track.dmask"), pipeline.subject)
    assert run("measure", folder) == 1
    assert "has 1 frames, frames.csv 360" in capsys.readouterr().err


def test_withheld_inputs_are_named_in_strict(patient_frames, tmp_path):
    video = write_video(tmp_path / "in.mp4", patient_frames)
    assert run("run", video, "-o", tmp_path / "out", "--profile", "strict", "--measures") == 0
    told = json.loads((tmp_path / "out" / "measures.json").read_text())
    for group, eye, condition, name in (
        ("lids", "od", "primary", "mrd1_mm"), ("alignment", "both", "primary", "deviation_horizontal_deg"),
        ("alignment", "both", None, "head_turn_deg"), ("lids", "os", "primary", "lateral_flare_ratio"),
    ):  # fmt: skip
        branch = told[group][eye]
        one = (branch if condition is None else branch[condition])[name]
        assert one["value"] is None and one["reason"].startswith("withheld_by_profile"), name


def test_overwriting_a_run_takes_its_old_measures_away(patient_frames, tmp_path):
    video = write_video(tmp_path / "in.mp4", patient_frames[:20])
    assert run("run", video, "-o", tmp_path / "out", "--measures") == 0
    assert all((tmp_path / "out" / name).is_file() for name in MEASURE_FILES)
    assert run("run", video, "-o", tmp_path / "out", "--overwrite") == 0
    assert not any((tmp_path / "out" / name).exists() for name in MEASURE_FILES)


def test_a_folders_items_have_measures_and_resume_adds_them(patient_frames, tmp_path):
    (tmp_path / "in").mkdir()
    write_video(tmp_path / "in" / "a.mp4", patient_frames[:20])
    assert run("run", tmp_path / "in", "-o", tmp_path / "out") == 0
    assert not (tmp_path / "out" / "a" / "measures.csv").exists()
    assert run("run", tmp_path / "in", "-o", tmp_path / "out", "--resume", "--measures") == 0
    assert (tmp_path / "out" / "a" / "measures.csv").is_file()
    assert "kept as it was" in (tmp_path / "out" / "batch.csv").read_text()


def schema() -> jsonschema.Draft202012Validator:
    text = (files("dmask.measure") / "measures.schema.json").read_text(encoding="utf-8")
    jsonschema.Draft202012Validator.check_schema(json.loads(text))
    return jsonschema.Draft202012Validator(json.loads(text))


def test_what_is_written_keeps_its_schema(folder, tmp_path, patient_frames):
    assert run("measure", folder) == 0
    video = write_video(tmp_path / "in.mp4", patient_frames)
    assert run("run", video, "-o", tmp_path / "out", "--measures") == 0
    for path in (folder, tmp_path / "out"):
        told = json.loads((path / "measures.json").read_text())
        assert not [error.message for error in schema().iter_errors(told)]


@pytest.mark.parametrize(
    "damage",
    [
        lambda told: told["lids"]["od"]["primary"]["mrd1_mm"].update(reason="no"),
        lambda told: told["lids"]["od"]["primary"]["mrd1_mm"].update(value=None),
        lambda told: told["lids"]["od"]["primary"]["mrd1_mm"].pop("unit"),
        lambda told: told["lids"].update(left={}),
        lambda told: told["events"].append({"event": "blink"}),
        lambda told: told.pop("recording"),
        lambda told: told["settings"].update(upgaze_deg="far"),
    ],
)
def test_the_schema_refuses_what_is_none(folder, damage):
    assert run("measure", folder) == 0
    told = json.loads((folder / "measures.json").read_text())
    assert schema().is_valid(told)
    damage(told)
    assert not schema().is_valid(told)
