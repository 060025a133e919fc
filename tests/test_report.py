"""report.html: whole, safe, in both languages; and in a browser where one is installed."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import re
import shutil
import time
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import CHECKOUT, background, write_video

from dmask import cli
from dmask.commands import places
from dmask.errors import Error, WrongUse
from dmask.io.tables import FRAME_COLUMNS, Table, read_frames
from dmask.measure.flags import flags
from dmask.measure.measured import load_measures, recording
from dmask.measure.reasons import EYE_REASONS, FACE_REASONS
from dmask.measure.record import Event, Record, nested
from dmask.measure.registry import MEASURES, UNITS
from dmask.measure.summary import summarise
from dmask.options import table as options_table
from dmask.report import pdf, vendored
from dmask.report.change import change, pairs
from dmask.report.charts import (
    ROWS,
    STILL_TICK,
    TICK,
    deviations,
    left_of,
    nine_gaze,
    nystagmus,
    room_of,
    still_plot,
    ticks,
)
from dmask.report.figures import interval_of, number, value_of
from dmask.report.markup import Markup, element
from dmask.report.page import glance, page
from dmask.report.review import KEY_PX, LEFT_PX, PICTURE_PX, SHADES, TIMES_PX, ZERO, Panel
from dmask.report.traces import MOST_POINTS, Plot, Series, decimated, packed_times, packed_values
from dmask.report.visit import read_visit, records_of
from dmask.report.words import LANGUAGES, SENTENCES, WORDS, Words
from dmask.run.measuring import sha256_of

RATE_FPS = 30.0
BLINKS_S = (1.0, 3.0)
HOSTILE = "</script><img src=x onerror=alert(1)>\"'&{seconds}$title<!--"
CHROMIUM = Path("/usr/bin/chromium")


def rows(seconds: float = 4.0, rate_fps: float = RATE_FPS) -> dict[str, np.ndarray]:
    """Columns of a frames.csv: both eyes sway, and blink twice; a hand lies on the left one for a while."""
    count = round(seconds * rate_fps)
    time_s = np.arange(count) / rate_fps
    shut = np.zeros(count)
    for at_s in BLINKS_S:
        shut = np.maximum(shut, np.clip(1.2 - np.abs(time_s - at_s) / 0.1, 0, 1))
    columns: dict[str, np.ndarray] = {"frame": np.arange(count), "time_s": time_s}
    columns |= {"face_valid": np.ones(count), "face_reason": np.full(count, "")}
    for axis, sway in (("yaw", 5.0), ("pitch", 2.0), ("roll", 1.0)):
        columns[f"head_{axis}_deg"] = sway * np.sin(time_s)
    for eye, shift in (("od", 0.0), ("os", 3.0)):
        covered = (time_s > 1.8) & (time_s < 2.4) if eye == "os" else np.zeros(count, bool)
        closed = shut > 0.9
        columns[f"{eye}_valid"] = (~(covered | closed)).astype(float)
        columns[f"{eye}_reason"] = np.where(closed, "closed", np.where(covered, "covered", ""))
        columns[f"{eye}_yaw_deg"] = 8 * np.sin(2 * time_s) + shift
        columns[f"{eye}_pitch_deg"] = 3 * np.cos(time_s)
        columns[f"{eye}_openness"] = 0.3 * (1 - shut)
        columns[f"{eye}_mrd1_mm"] = 3.5 - 6 * shut
        columns[f"{eye}_mrd2_mm"] = np.full(count, 5.5)
        columns[f"{eye}_pfh_mm"] = 9.0 * (1 - shut)
    columns["distance"] = np.full(count, "intermediate")
    return columns


def write_folder(folder: Path, seconds: float = 4.0, mask: bool = True) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    columns = rows(seconds)
    table = Table(folder / "frames.csv", FRAME_COLUMNS)
    for row in range(columns["time_s"].size):
        cells = []
        for name in FRAME_COLUMNS:
            value = columns[name][row] if name in columns else ""
            cells.append(value if isinstance(value, str) else f"{value:.4f}")
        cells[0] = str(row)
        table.write([str(cell) for cell in cells])
    table.close()
    options = {name: one["default"] for name, one in options_table().items() if name != "models_dir"}
    run = {
        "options": options | {"profile": "clinical"},
        "versions": {"dmask": "0.1.0"},
        "models_sha256": {"face.dmm": "2c" * 32},
    }
    (folder / "run.json").write_text(json.dumps(run))
    summary = summarise(read_frames(folder / "frames.csv"), options)
    (folder / "summary.json").write_text(json.dumps(summary))
    if mask:
        pictures = [background(64, 64, seed=number % 7) for number in range(columns["time_s"].size)]
        write_video(folder / "mask.mp4", pictures)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return write_folder(tmp_path_factory.mktemp("report") / "Jane Doe 1970-01-01")


@pytest.fixture(scope="module")
def visit(folder):
    return read_visit(folder)


class Read(HTMLParser):
    """Elements, and which text stands outside of scripts."""

    def __init__(self, text: str):
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "input", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in ("meta", "img", "input", "br", "link"):
            assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data):
        if not {"script", "style"} & set(self.open):
            self.text += data


# Words


def test_every_word_is_there_in_both_languages_with_the_same_parts():
    for key, words in WORDS.items():
        assert len(words) == len(LANGUAGES), key
        parts = [sorted(re.findall(r"{(\w+)}", text)) for text in words]
        assert parts[0] == parts[1], key
    for english, german in SENTENCES:
        assert english.count("{}") == german.count("{}"), english


def test_all_that_is_measured_has_words():
    load_measures()
    say = Words("de")
    assert [name for name in MEASURES if not say.known(f"measure.{name}")] == []
    assert [name for name in MEASURES if not say.known(f"group.{name.partition('.')[0]}")] == []
    assert [unit for unit in UNITS.values() if not say.known(f"unit.{unit}")] == []
    assert [name for name in (*EYE_REASONS, *FACE_REASONS) if not say.known(f"reason.{name}")] == []
    assert [name for row in ROWS for name in row if not say.known(f"condition.{name}")] == []


def test_every_event_condition_and_sentence_of_a_recording_has_words(visit):
    say = Words("de")
    assert {one.event for one in visit.events} == {"blink"}
    source = "".join(path.read_text() for path in (CHECKOUT / "python/dmask/measure/clinical").glob("*.py"))
    named = {
        word.value
        for node in ast.walk(ast.parse(source.replace("from __future__ import annotations", "")))
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "named"
        for word in ast.walk(node.value)
        if isinstance(word, ast.Constant)
    }
    named |= set(re.findall(r'Event\("(\w+)"', source))
    assert {"blink", "wink", "closure"} <= named
    assert [name for name in named if not say.known(f"events.{name}")] == []
    for record in visit.records:
        assert not record.condition or say.known(f"condition.{record.condition}"), record
        if record.reason:
            assert say.sentence(record.reason).language == "de", record.reason
    for one in visit.summary["statements"]:
        assert say.sentence(one).language == "de", one


def test_every_flag_has_words_and_its_sentence_a_german_one():
    source = (CHECKOUT / "python/dmask/measure/flags.py").read_text()
    calls = r'(?:"flag": |exceeding\(\s*|slower\(\s*columns,\s*)"(\w+)"'
    names = set(re.findall(calls, source))
    assert {"rolled", "turned", "dark", "covered", "short", "calibration", "low_frame_rate_blinks"} <= names
    say = Words("de")
    assert [name for name in names if not say.known(f"flag.{name}")] == []
    columns = rows(1.0, 10.0)
    columns["head_roll_deg"] = np.full(10, 80.0)
    for eye, reason in (("od", "covered"), ("os", "low_resolution")):
        columns[f"{eye}_reason"], columns[f"{eye}_valid"] = np.full(10, reason), np.zeros(10)
    found = flags(columns, {"ok": False, "reason": "too few frames"}, people=2, recognitions=3)
    columns["face_reason"] = np.full(10, "dark")
    columns |= {"head_roll_deg": np.zeros(10), "head_yaw_deg": np.full(10, 50.0)}
    found += flags(columns, people=None, recognitions=1)
    assert {one["flag"] for one in found} == names
    for one in found:
        assert say.sentence(one["sentence"]).language == "de", one["sentence"]


def test_sentences_keep_their_numbers_and_unknown_ones_stay_english():
    say = Words("de")
    told = say.sentence("gaze went from -13 to 13.5 degrees; needs -20 and 20")
    assert told.text == "der Blick ging von -13 bis 13,5 Grad; nötig sind -20 und 20"
    assert say.sentence("closed in 3 of 20 frames").text == "Auge geschlossen in 3 von 20 Bildern"
    assert say.sentence("a reason of another package") == ("a reason of another package", "en")
    assert say.value("mild to moderate") == "leicht bis mäßig"
    assert say.measure("other.thing_mm", "what it is") == "what it is"


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_of_fields_are_words_in_prose(language):
    say = Words(language)
    told = [say.sentence(english.replace("{}", "3")).text for english, _ in SENTENCES]
    told += [
        say.sentence(f"withheld_by_profile: {why}").text
        for why in ("give --keep mouth", "of another package")
    ]
    assert [one for one in told if re.search(r"[a-z]_[a-z]", one)] == []
    assert say.sentence("withheld_by_profile: of another package").text.startswith(
        ("withheld by the profile: ", "vom Profil zurückgehalten: ")
    )


def test_numbers_are_written_as_the_language_does():
    de, en = Words("de"), Words("en")
    assert number(-1.25, 1, de) == "−1,2" and number(-0.01, 1, en) == "0.0" and number(2, 0, en, True) == "+2"
    record = Record("blinks.complete_share", "od", "", 0.625, "1", 0.306, 0.863, 8, "")
    assert value_of(record, en).replace("\u202f", " ") == "62 %" and interval_of(record, de) == "31 bis 86"


# The page


def test_the_page_is_whole_and_says_what_was_measured(visit, folder):
    for language in LANGUAGES:
        text = page([visit], language, folder)
        read = Read(text)
        say = Words(language)
        assert read.open == []
        assert ("html", {"lang": language}) in read.elements
        for key in ("notice", "section.glance", "section.findings", "section.missing", "section.details"):
            assert say(key) in read.text
        assert "<video" in text and "data-mask" in text
        assert say("measure.blinks.rate_per_min") in read.text
        assert visit.run["models_sha256"]["face.dmm"] in read.text
        labels = [one for name, one in read.elements if one.get("role") == "img"]
        assert len(labels) >= 10 and all(one.get("aria-label") for one in labels)
        ids = [one["id"] for _, one in read.elements if "id" in one]
        assert len(ids) == len(set(ids))
        assert not any(key.startswith("on") or key == "style" for _, one in read.elements for key in one)


def test_nothing_in_the_page_is_loaded_from_elsewhere(visit, folder):
    text = page([visit], "en", folder)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert (
        policy and policy[1].startswith("default-src &#x27;none&#x27;") or "default-src 'none'" in policy[1]
    )
    assert "unsafe" not in policy[1] and "http" not in policy[1]
    for name, attributes in Read(text).elements:
        for key in ("src", "href", "poster"):
            value = attributes.get(key) or ""
            assert not value or value.startswith(("data:image/", "#")) or value == "mask.mp4", (name, value)


def test_neither_name_nor_place_nor_date_is_in_the_page(visit, folder):
    text = page([visit], "en", folder)
    for secret in ("Jane", "Doe", "1970", folder.parent.name, str(folder)):
        assert secret not in text


def test_hostile_words_stay_words(tmp_path):
    folder = write_folder(tmp_path / "out")
    record = {"value": HOSTILE, "unit": HOSTILE, "low": None, "high": None, "n": 3, "reason": ""}
    absent = record | {"value": None, "reason": HOSTILE}
    told = {
        "schema": 1, "recording": {"versions": {"measured_by": HOSTILE}},
        "settings": {HOSTILE: HOSTILE}, HOSTILE: {HOSTILE: {HOSTILE: {HOSTILE: record, "gone": absent}}},
        "events": [{"event": HOSTILE, "eye": HOSTILE, "onset_s": 1.0, "duration_s": 0.2}],
        "definitions": {HOSTILE: {"what": HOSTILE, "unit": HOSTILE, "source": HOSTILE, "validated": False}},
    }  # fmt: skip
    summary = {"flags": [{"flag": HOSTILE, "sentence": HOSTILE}], "statements": [HOSTILE]}
    (folder / "summary.json").write_text(json.dumps(summary))
    run = {
        "options": {"profile": HOSTILE},
        "versions": {HOSTILE: HOSTILE},
        "models_sha256": {HOSTILE: HOSTILE},
    }
    (folder / "run.json").write_text(json.dumps(run))
    table = (folder / "frames.csv").read_text().replace(",closed,", f',"{HOSTILE.replace(chr(34), "")}",')
    (folder / "frames.csv").write_text(table)
    told["recording"]["frames_csv_sha256"] = sha256_of(folder / "frames.csv")
    (folder / "measures.json").write_text(json.dumps(told))
    clean = Read(page([read_visit(write_folder(tmp_path / "clean"))], "en"))
    hostile = Read(page([read_visit(folder)], "en"))
    assert hostile.open == []
    assert HOSTILE in hostile.text
    assert sum(name == "script" for name, _ in hostile.elements) == sum(
        n == "script" for n, _ in clean.elements
    )
    assert not any(one.get("src") == "x" or "onerror" in one for _, one in hostile.elements)


def test_markup_escapes_what_is_not_markup():
    assert element("b", "<i>", title='"') == '<b title="&quot;">&lt;i&gt;</b>'
    assert element("b", Markup("<i></i>"), hidden=True, id=None) == "<b hidden><i></i></b>"


def test_a_recording_without_measures_and_mask_and_a_picture_have_a_page(tmp_path):
    folder = write_folder(tmp_path / "bare", mask=False)
    for name in ("summary.json", "run.json"):
        (folder / name).unlink()
    text = page([read_visit(folder)])
    assert "There is no mask" in text and Read(text).open == []
    lines = (folder / "frames.csv").read_text().splitlines()
    (folder / "frames.csv").write_text("\n".join(lines[:2]) + "\n")
    cv2.imwrite(str(folder / "mask.png"), background(64, 64))
    text = page([read_visit(folder)])
    assert "<video" not in text and "data:image/jpeg" in text and 'class="canvas"' not in text


@pytest.mark.parametrize("profile", ["no face", "strict"])
@pytest.mark.filterwarnings("error")
def test_what_a_profile_withholds_or_nobody_saw_is_no_trouble(tmp_path, profile):
    folder = write_folder(tmp_path / "out")
    names, *lines = (folder / "frames.csv").read_text().splitlines()
    header = names.split(",")
    kept = []
    for line in lines:
        cells = dict(zip(header, line.split(","), strict=True))
        for name in header:
            if name.endswith("_mm") or (profile == "no face" and name not in ("frame", "time_s")):
                cells[name] = ""
        if profile == "no face":
            cells |= {f"{part}_valid": "0" for part in ("face", "od", "os")}
            cells |= {f"{part}_reason": "no_face" for part in ("face", "od", "os")}
        kept.append(",".join(cells.values()))
    (folder / "frames.csv").write_text("\n".join([names, *kept]) + "\n")
    text = Read(page([read_visit(folder)]))
    assert text.open == []
    assert "Openness of the lids" in text.text and "Upper lid, MRD1" not in text.text


def test_a_large_mask_stays_beside_the_page(folder, visit, monkeypatch):
    monkeypatch.setattr("dmask.report.visit.LARGEST_INLINE", 10)
    assert 'src="mask.mp4"' in page([visit], "en", folder)
    elsewhere = page([visit], "en", folder.parent)
    assert "<video" not in elsewhere and "too large" in elsewhere


def test_a_long_recording_keeps_every_peak_in_few_points():
    time_s = np.arange(108_000) / 30
    values = np.zeros(time_s.size)
    values[50_003], values[70_000], values[10_000:10_200] = 9.0, -9.0, np.nan
    thin = decimated(time_s, [values, values])
    assert thin.time_s.size <= MOST_POINTS and thin.frames > 1
    assert (np.diff(thin.time_s) > 0).all()
    assert np.nanmax(thin.values[0]) == 9 and np.nanmin(thin.values[1]) == -9
    assert np.isnan(thin.values[0]).any()
    at_s = thin.time_s[np.nanargmax(thin.values[0])]
    assert abs(at_s - time_s[50_003]) <= thin.frames / 30
    restored = np.cumsum(packed_times(time_s)) / 10_000
    assert np.abs(restored - time_s).max() < 1e-4
    assert packed_values(np.array([1.234, np.nan])) == [123, None]
    assert decimated(time_s[:50], [values[:50]]).frames == 1


def test_an_hour_takes_little_room_and_time(visit):
    many = 108_000 // visit.time_s.size
    frames = {name: np.tile(values, many) for name, values in visit.frames.items()}
    frames["time_s"] = np.arange(frames["frame"].size) / RATE_FPS
    events = [one._replace(onset_s=one.onset_s + 4.0 * part) for part in range(many) for one in visit.events]
    start_s = time.monotonic()
    text = page([visit._replace(frames=frames, events=events, mask=None)])
    assert len(text.encode()) < 12e6
    assert time.monotonic() - start_s < 30


def test_a_glance_has_the_lagophthalmos_of_every_kind_of_closure(visit):
    kinds = ("gentle_closure", "forced_closure")
    shut = [Record("lids.lagophthalmos_mm", eye, kind, 1.5, "mm", 1.0, 2.0, 3, "") for eye in ("od", "os")
            for kind in kinds]  # fmt: skip
    others = [one for one in visit.records if one.measure != "lids.lagophthalmos_mm"]
    said = Read(glance(visit._replace(records=others + shut), Words("en"))).text
    assert said.count("Lagophthalmos") == 2 and "gently closed" in said and "squeezed shut" in said
    assert said.count("1.5") == 4


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "not measured: the lids are not closed for 1 s"),
        ("de", "nicht gemessen: die Lider sind nicht 1 s"),
    ],
)
def test_a_glance_says_why_something_is_not_measured(visit, language, told):
    text = glance(visit, Words(language))
    assert told in Read(text).text
    rows = re.findall("<tr>.*?</tr>", text)
    shut = next(one for one in rows if told in Read(one).text)
    assert 'colspan="2"' in shut  # the same of both eyes is said once


# Charts


def tick_boxes(svg: str, letters: float) -> list[tuple[float, float]]:
    """From where to where each label of a picture reaches at most."""
    found = []
    for x, anchor, text in re.findall(
        r'<text x="([\d.-]+)" y="[\d.-]+" class="tick (\w+)">([^<]*)</text>', svg
    ):
        width = room_of(text, letters)
        left = float(x) - (width if anchor == "end" else width / 2)
        found.append((left, left + width))
    return found


@pytest.mark.parametrize("unit", ["mm", "deg", "deg2", "Hz"])
def test_labels_of_plots_are_not_cut(visit, unit):
    say = Words("de")
    time_s = np.linspace(0, 10, 50)
    plot = Plot("mrd1", unit, "none", [Series("eye.od", "od", np.linspace(-20, 10, 50))], -22.0, 11.0)
    left = left_of([(plot.low, plot.high, unit)], say, STILL_TICK)
    boxes = tick_boxes(still_plot(plot, time_s, [], say, "", left), STILL_TICK)
    assert len(boxes) > 8
    assert min(low for low, _ in boxes[:4]) >= 0 and max(high for _, high in boxes) <= 720.1


def test_paper_has_the_letters_that_room_is_made_for():
    style = (CHECKOUT / "python/dmask/report/page.css").read_text()
    assert f"svg.still .tick {{ font-size: {STILL_TICK:g}px; }}" in style
    assert re.search(rf"svg .tick {{[^}}]*font-size: {TICK:g}px", style)


def test_an_axis_has_two_values_or_more():
    for low, high in ((0.02, 0.98), (-1.0, 3.9), (0.0, 0.33), (-55.0, 50.0), (1.3, 1.4)):
        for most in (4, 8):
            assert 2 <= len(ticks(low, high, most)) <= 2 * most


def aligned(condition: str, name: str, value: float, unit: str) -> Record:
    return Record(f"alignment.deviation_{name}", "both", condition, value, unit, value - 1, value + 1, 40, "")


def test_the_nine_positions_take_measures_before_the_summary(visit):
    say = Words("en")
    assert deviations(visit)  # of the summary
    records = [
        aligned("up_right", "horizontal_deg", 6.0, "deg"),
        aligned("up_right", "horizontal_pd", 10.5, "PD"),
    ]
    told = visit._replace(records=records)
    assert set(deviations(told)) == {"up_right"}
    text = nine_gaze(told, say)
    assert "+6.0°" in text and "10.5" in text and text.count("not measured") == 8
    assert "No deviation" in nine_gaze(visit._replace(records=[], summary={}), say)


def test_a_nystagmus_has_spectrum_and_beat_where_arrays_are_given(visit):
    assert nystagmus(visit, Words("en")) is None
    frequency = np.linspace(0, 10, 50)
    held = {
        "frequency_hz": frequency, "power": np.exp(-((frequency - 4) ** 2)),
        "phase": np.linspace(0, 1, 20), "course_deg": np.linspace(0, 3, 20),
    }  # fmt: skip
    drawn = nystagmus(visit._replace(nystagmus={"od": {"horizontal": held}}), Words("en"))
    assert drawn and drawn.count("<svg") == 2 and "strongest at 4" in drawn
    spectrum, beat = re.findall("<svg.*?</svg>", drawn)
    assert "deg²" in spectrum and "10\u202fHz" in spectrum
    assert max(high for _, high in tick_boxes(spectrum, TICK)) <= 340.1
    assert beat.count("\u202f%") > 2  # of a beat whose length is not known
    known = Record("nystagmus.frequency_hz", "od", "horizontal", 4.0, "Hz", 3.0, 5.0, 9, "")
    timed = nystagmus(
        visit._replace(nystagmus={"od": {"horizontal": held}}, records=[known]), Words("en")
    )  # fmt: skip
    assert timed and "of 0.25\u202fs" in timed
    assert {"0.0\u202fs", "0.1\u202fs", "0.2\u202fs"} <= set(re.findall(r">([\d.]+\u202fs)<", timed))
    empty = visit._replace(nystagmus={"od": {"horizontal": {"frequency_hz": [], "power": []}}})
    assert nystagmus(empty, Words("en")) is None


# Two visits


def test_a_change_has_an_interval_of_both(visit, tmp_path):
    before = Record("lids.mrd1_mm", "od", "primary", 2.0, "mm", 1.5, 2.5, 9, "")
    after = before._replace(value=4.0, low=3.6, high=4.4)
    told = change(before, after)
    assert told.value == 2.0 and told.clear
    assert (told.low, told.high) == (pytest.approx(2 - 0.6403, abs=1e-4), pytest.approx(2 + 0.6403, abs=1e-4))
    assert not change(before, before).clear
    assert change(before, after._replace(low=None)).low is None
    words = before._replace(measure="lids.ptosis_grade", value="mild")
    assert change(words, words._replace(value="none")).clear
    text = page([visit, visit], "de")
    assert "Veränderung" in text and text.count("<video") == 2 and Read(text).open == []


def test_two_visits_have_a_glance_after_what_its_marks_mean(visit):
    said = Read(page([visit, visit], "en")).text
    parts = ("At a glance", "A change is underlined", "Measure", "MRD1, pupil", "Changes")
    places = [said.index(one) for one in parts]
    assert places == sorted(places) and said.count("A change is underlined") == 1


def test_a_measure_that_one_visit_lacks_says_so_in_every_cell(visit):
    one = Record("lids.lagophthalmos_mm", "od", "gentle_closure", 1.5, "mm", 1.0, 2.0, 3, "")
    absent = one._replace(measure="lids.mrd1_mm", condition="primary", value=None, reason="no blink")
    other = absent._replace(value=3.0, reason="")
    first, second = visit._replace(records=[absent]), visit._replace(records=[other, one])
    assert pairs(first, second) == [(absent, other), (None, one)]
    assert pairs(second, first) == [(other, absent), (one, None)]
    for visits in ((first, second), (second, first)):
        lacking = (
            page(visits, "en").partition(">Without a number in one visit</h3>")[2].partition("</table>")[0]
        )
        rows = re.findall("<tr>.*?</tr>", lacking.partition("<tbody>")[2])
        assert len(rows) == 2 and "<td></td>" not in lacking
        assert "not measured: no blink" in Read(rows[0]).text and "not in this visit" in rows[1]


# The command


def test_the_command_writes_a_page_once(folder, tmp_path, capsys):
    out = tmp_path / "page.html"
    words = ["report", str(folder), "-o", str(out), "--language", "de"]
    assert cli.main(words) == 0
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert cli.main(words) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert cli.main([*words, "--overwrite"]) == 0
    assert not (folder / "report.html").exists()
    copy = shutil.copytree(folder, tmp_path / "copy")
    assert cli.main(["report", str(copy)]) == 0 and (copy / "report.html").is_file()
    assert cli.main(["report", str(copy), "--overwrite"]) == 0
    assert cli.main(["report", str(copy), "-o", str(copy / "report.html"), "--overwrite"]) == 0
    assert cli.main(["review", str(copy), "-o", str(copy / "mask.mp4"), "--overwrite"]) == 2
    assert cli.main(["report", str(folder), str(copy)]) == 0 and (copy / "comparison.html").is_file()
    assert "input" in places.READ and "original" in places.READ


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["{out}/nothing"], "is not a folder"),
        (["{empty}"], "there is no frames.csv"),
        (["{out}", "{out}"], "twice"),
        (["{out}", "{out}", "{out}"], "got 3 folders"),
        (["{out}", "-o", "{empty}/page.pdf"], "ends in .html"),
    ],
)
def test_wrong_use_is_told(folder, tmp_path, capsys, words, told):
    (tmp_path / "empty").mkdir()
    assert cli.main(["report", *(word.format(out=folder, empty=tmp_path / "empty") for word in words)]) == 2
    error = capsys.readouterr().err
    assert told in error and "expected" in error and error.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("measures.json", "{"),
        ("measures.json", "[]"),
        ("measures.json", '{"lids": 3}'),
        ("measures.json", '{"lids": {"od": {"mrd1_mm": 3}}}'),
        ("measures.json", '{"recording": {"frames_csv_sha256": "0"}}'),
        ("measures.json", '{"events": [{"event": "blink"}]}'),
        ("summary.json", "no"),
        ("frames.csv", "a,b\n1,2\n"),
    ],
)
def test_a_damaged_file_is_told_in_a_sentence(tmp_path, capsys, name, content):
    folder = write_folder(tmp_path / "out", mask=False)
    (folder / name).write_text(content)
    assert cli.main(["report", str(folder)]) == 1
    error = capsys.readouterr().err
    assert name in error and "expected" in error and "fault of dmask" not in error
    assert not (folder / "report.html").exists()


@pytest.mark.parametrize("odd", ["1e400", "-1e300", "1" + 400 * "0", "NaN", "true", '"<b>"', "[]"])
def test_numbers_that_no_measure_has_are_none(tmp_path, odd):
    folder = write_folder(tmp_path / "out", mask=False)
    assert cli.main(["measure", str(folder)]) == 0
    told = json.loads((folder / "measures.json").read_text())
    told["blinks"]["od"]["rate_per_min"] |= dict.fromkeys(("low", "high", "n"), "odd")
    told["settings"]["upgaze_deg"] = told["recording"]["rate_fps"] = "odd"
    (folder / "measures.json").write_text(json.dumps(told).replace('"odd"', odd))
    record = read_visit(folder).record("blinks.rate_per_min", "od", "")
    assert record is not None and (record.low, record.high, record.n) == (None, None, None)
    assert cli.main(["report", str(folder)]) == 0
    assert Read((folder / "report.html").read_text()).open == []


def test_measures_of_another_table_are_refused(tmp_path):
    folder = write_folder(tmp_path / "out", mask=False)
    assert cli.main(["measure", str(folder)]) == 0
    read_visit(folder)
    table = (folder / "frames.csv").read_text()
    (folder / "frames.csv").write_text(table.replace(",closed,", ",covered,", 1))
    with pytest.raises(Error, match=r"not of this frames\.csv; expected"):
        read_visit(folder)


def test_a_cell_that_is_no_number_and_times_that_go_back_are_told(tmp_path):
    folder = write_folder(tmp_path / "out", mask=False)
    whole = (folder / "frames.csv").read_text()
    lines = whole.splitlines()
    (folder / "frames.csv").write_text(whole.replace(lines[3], lines[3].replace(",1.0", ",<b>", 1)))
    with pytest.raises(Error, match="damaged"):
        read_visit(folder)
    (folder / "frames.csv").write_text("\n".join([lines[0], lines[5], lines[3]]) + "\n")
    with pytest.raises(Error, match="go back"):
        read_visit(folder)
    with pytest.raises(WrongUse):
        read_visit(folder / "frames.csv")


def test_a_missing_chromium_is_told_before_anything_is_written(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(pdf, "BROWSERS", ("no-such-browser",))
    assert cli.main(["report", str(folder), "-o", str(tmp_path / "page.html"), "--pdf"]) == 1
    assert "apt-get install chromium" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_measures_of_a_file_are_those_that_were_written(visit):
    told = list(records_of({"schema": 1, "settings": {}} | nested(visit.records)))
    assert sorted(told, key=str) == sorted(visit.records, key=str)


# What is vendored


def test_uplot_is_the_file_that_its_readme_names():
    folder = CHECKOUT / "third_party/uplot"
    if not folder.is_dir():
        pytest.skip("no checkout: third_party/uplot is not here")
    named = dict(
        re.findall(r"\| `(uPlot[\w.]+)` \|.*\| `([0-9a-f]{64})` \|", (folder / "README.md").read_text())
    )
    assert set(named) == {"uPlot.iife.min.js", "uPlot.min.css"}
    for name, sha256 in named.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == sha256
        assert hashlib.sha256(vendored.uplot(name).encode()).hexdigest() == sha256
    assert "MIT License" in (folder / "LICENSE").read_text()
    assert "uPlot" in (CHECKOUT / "NOTICE").read_text()


# Review


def test_a_review_holds_every_frame_and_says_when_it_identifies(folder, tmp_path, capsys):
    from dmask.io.video import VideoReader

    out = tmp_path / "review.mp4"
    assert cli.main(["review", str(folder), "-o", str(out)]) == 0
    assert "identifies" not in capsys.readouterr().err
    plain = VideoReader(out)
    assert sum(1 for _ in plain) == 120
    original = tmp_path / "original.mp4"
    shutil.copy(folder / "mask.mp4", original)
    words = ["review", str(folder), "-o", str(tmp_path / "both.mp4"), "--original"]
    assert cli.main([*words, str(original)]) == 0
    assert "warning" in capsys.readouterr().err
    both = VideoReader(tmp_path / "both.mp4")
    first = next(iter(both)).bgr
    assert both.width > plain.width
    assert first[10, 300:400, 2].mean() > 150 > first[10, 300:400, 0].mean()  # the red mark
    short = write_video(tmp_path / "short.mp4", [background(64, 64)] * 5)
    assert cli.main([*words, str(short), "--overwrite"]) == 1
    assert "5 frames" in capsys.readouterr().err
    assert cli.main([*words[:2], "-o", str(original), "--original", str(original), "--overwrite"]) == 2


def test_a_review_has_times_a_zero_line_and_a_key_of_its_shading(visit):
    shut = Event("closure", "od", 2.6, 1.2, None, "", None, "")
    panel = Panel(visit._replace(events=[*visit.events, shut]))
    shown = panel.at(2.0, 60)
    key = shown[PICTURE_PX - KEY_PX :]
    for kind in ("blink", "closure", "cover"):
        assert (key == SHADES[kind]).all(axis=2).sum() > 50, kind
    assert (shown[PICTURE_PX - KEY_PX - TIMES_PX : PICTURE_PX - KEY_PX] != 255).any(axis=2).sum() > 100
    gaze = shown[: PICTURE_PX // 5, LEFT_PX:]
    assert ((gaze == ZERO).all(axis=2).sum(axis=1) > 300).sum() == 1
    assert not (
        Panel(visit._replace(events=[], frames=visit.frames | {"os_reason": visit.frames["od_reason"]})).at(
            2.0, 60
        )[PICTURE_PX - KEY_PX :]
        != 255
    ).any()  # no shading, no key


# In a browser


needs_browser = pytest.mark.skipif(
    not CHROMIUM.is_file() or importlib.util.find_spec("playwright") is None,
    reason="needs /usr/bin/chromium and playwright",
)


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield started
        started.close()


def until(shown, condition: str) -> None:
    """Playwright's own waiting is a script that the page's policy refuses."""
    end_s = time.monotonic() + 20
    while not shown.evaluate(condition):
        assert time.monotonic() < end_s, condition
        time.sleep(0.02)


def opened(browser, path: Path, **settings):
    """The page, and what its console says."""
    shown = browser.new_context(**settings).new_page()
    said: list[str] = []
    shown.on("console", lambda one: said.append(one.text))
    shown.on("pageerror", lambda one: said.append(str(one)))
    shown.goto(path.resolve().as_uri())
    until(shown, "dmaskReport.players.every((one) => !one.clock.video || one.clock.video.readyState > 1)")
    return shown, said


def written(folder: Path, place: Path, language: str = "en", count: int = 1) -> Path:
    place.write_text(page([read_visit(folder)] * count, language, place.parent), encoding="utf-8")
    return place


CURSOR = "Number(document.querySelector('.playhead').dataset.time)"
VIDEO = "document.querySelector('video').currentTime"


@needs_browser
def test_cursor_and_video_go_together(browser, folder, tmp_path):
    shown, said = opened(
        browser, written(folder, tmp_path / "page.html"), viewport={"width": 1200, "height": 900}
    )
    shown.evaluate("document.querySelector('video').currentTime = 2.5")
    until(shown, f"Math.abs({CURSOR} - 2.5) < 0.01")
    box = shown.locator(".u-over").nth(2).bounding_box()
    shown.locator(".u-over").nth(2).click(position={"x": box["width"] / 4, "y": 20})
    until(shown, f"Math.abs({VIDEO} - 1.0) < 0.05 && Math.abs({CURSOR} - {VIDEO}) < 0.01")
    frame = shown.evaluate(VIDEO)
    shown.keyboard.press("ArrowRight")
    until(shown, f"{VIDEO} > {frame}")
    assert 0.5 / RATE_FPS < shown.evaluate(VIDEO) - frame < 2 / RATE_FPS
    shown.keyboard.press("ArrowLeft")
    until(shown, f"Math.abs({VIDEO} - {frame}) < {1 / RATE_FPS}")
    shown.keyboard.press(" ")
    until(shown, f"{VIDEO} > {frame} + 0.3")
    shown.keyboard.press(" ")
    until(shown, "document.querySelector('video').paused")
    until(shown, f"Math.abs({CURSOR} - {VIDEO}) < 0.05")
    shown.click("[data-do=in]")
    assert shown.evaluate(
        "dmaskReport.players[0].plots.every(({chart}) => chart.scales.x.max - chart.scales.x.min < 2.1)"
    )
    assert said == []


@needs_browser
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_can_be_read_by_everybody(browser, folder, tmp_path, language, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    for count in (1, 2):
        place = written(folder, tmp_path / "page.html", language, count)
        shown, said = opened(browser, place, color_scheme=scheme)
        found = axe.Axe().run(shown)
        assert found.violations_count == 0, found.generate_report()
        assert said == []


@needs_browser
def test_the_switch_changes_the_theme_and_a_narrow_page_does_not_scroll_sideways(browser, folder, tmp_path):
    place = written(folder, tmp_path / "page.html", "de")
    shown, said = opened(browser, place, viewport={"width": 390, "height": 844}, color_scheme="light")
    before = shown.evaluate("getComputedStyle(document.body).backgroundColor")
    shown.click("#theme")
    assert shown.evaluate("getComputedStyle(document.body).backgroundColor") != before
    assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for width in (320, 780, 1600):
        shown.set_viewport_size({"width": width, "height": 800})
        until(shown, "document.documentElement.scrollWidth <= innerWidth")
    assert said == []


@needs_browser
def test_a_mask_beside_the_page_plays_under_the_policy(browser, folder, tmp_path, monkeypatch):
    monkeypatch.setattr("dmask.report.visit.LARGEST_INLINE", 10)
    copy = shutil.copytree(folder, tmp_path / "out")
    shown, said = opened(browser, written(copy, copy / "report.html"))
    shown.evaluate("document.querySelector('video').currentTime = 2")
    until(shown, f"Math.abs({CURSOR} - 2) < 0.01")
    assert said == []


def test_a_review_of_another_recordings_mask_is_refused(folder, tmp_path, capsys):
    copy = shutil.copytree(folder, tmp_path / "out")
    lines = (copy / "frames.csv").read_text().splitlines(keepends=True)
    (copy / "frames.csv").write_text("".join(lines[:-10]))
    for name in ("measures.json", "measures.csv", "events.csv", "track.dmask"):
        (copy / name).unlink(missing_ok=True)
    assert cli.main(["review", str(copy), "-o", str(tmp_path / "review.mp4")]) == 1
    assert "expected those of one run" in capsys.readouterr().err
    assert not (tmp_path / "review.mp4").exists()


@needs_browser
def test_it_prints(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "out")
    assert cli.main(["report", str(copy), "--pdf"]) == 0
    printed = (copy / "report.pdf").read_bytes()
    assert printed.startswith(b"%PDF-")
    assert 2 <= pages_of(printed) <= 9  # about 150 measures and why
    assert str(copy).encode() not in printed
    assert cli.main(["report", str(folder), str(copy), "--pdf"]) == 0
    assert pages_of((copy / "comparison.pdf").read_bytes()) <= 14


def pages_of(printed: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", printed))


@needs_browser
def test_a_browser_draws_every_label_within_its_picture(browser, folder, tmp_path):
    """By the letters that the browser has."""
    shown, _ = opened(browser, written(folder, tmp_path / "page.html", "de"))
    shown.emulate_media(media="print")
    outside = shown.evaluate(
        """[...document.querySelectorAll('svg text')].filter((one) => {
             const [word, box] = [one.getBoundingClientRect(), one.ownerSVGElement.getBoundingClientRect()];
             return word.width && (word.left < box.left - 0.5 || word.right > box.right + 0.5);
           }).map((one) => one.textContent)"""
    )
    assert outside == []
    drawn = (
        "[...document.querySelectorAll('svg.still text')].filter((one) => one.getBoundingClientRect().width)"
    )
    assert shown.evaluate(f"{drawn}.length") > 30


def test_measures_in_memory_are_those_of_the_recording(visit):
    told = recording(visit.frames, visit.run["options"])
    assert [one[:3] for one in told.records] == [one[:3] for one in visit.records]
    assert all(isinstance(one, Event) for one in visit.events)
