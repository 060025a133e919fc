"""`dmask eval rendered --cohort`: errors are counted by patient and cell, and drawn as Bland and Altman."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("scipy", reason="needs scipy: pip install '.[train]'")

from dmask import cli  # noqa: E402
from dmask.errors import Error  # noqa: E402
from dmask.evaluate import agreement, cohort  # noqa: E402

CHECKOUT = Path(__file__).resolve().parent.parent
PATIENTS, FRAMES = 200, 12


def made_table(sd_said: float = 1.0, between: float = 0.0, bias: float = 0.0) -> dict[str, np.ndarray]:
    """Errors of deviation 1 in all, of which `between` patients; 1 mm and degree alike."""
    random = np.random.default_rng(1)
    seed = np.repeat(np.arange(PATIENTS), FRAMES)
    count = len(seed)
    table = {name: np.zeros(count) for name in ("valid", "hfov_known", "spectacles")}
    table |= {
        "seed": seed.astype(float),
        "kind": np.repeat("healthy", count),
        "px_per_deg": np.full(count, 0.7),
    }
    table |= {
        "openness_true": np.full(count, 0.3),
        "openness": np.full(count, 0.3),
        "jpeg": np.full(count, 100.0),
        "valid": np.ones(count),
    }
    for name in cohort.MEASURES:
        own = np.repeat(random.normal(0, between, PATIENTS), FRAMES)
        table[f"{name}_true"] = random.normal(0, 8, count)
        error = own + random.normal(0, np.sqrt(1 - between**2), count) + bias
        table[name] = table[f"{name}_true"] + error
    return table | {name: np.full(count, sd_said) for name in cohort.STATED.values()}


def test_what_is_stated_rightly_covers_68_and_95_percent():
    figures = cohort.figures(made_table())
    assert figures["yaw_deg_cover_68"] == pytest.approx(0.68, abs=0.03)
    assert figures["yaw_deg_cover_95"] == pytest.approx(0.95, abs=0.02)
    assert figures["yaw_deg_median"] == pytest.approx(0.674, abs=0.05)
    assert figures["patients"] == PATIENTS


def test_what_is_stated_too_narrow_covers_less():
    figures = cohort.figures(made_table(sd_said=0.5))
    assert figures["yaw_deg_cover_68"] < 0.45 and figures["yaw_deg_cover_95"] < 0.75


def test_frames_of_a_patient_who_err_together_are_not_counted_apart():
    apart, together = cohort.figures(made_table()), cohort.figures(made_table(between=0.95))
    assert together["yaw_deg_cover_68_pm"] > 2 * apart["yaw_deg_cover_68_pm"]
    assert together["yaw_deg_patients_sd"] == pytest.approx(0.95, abs=0.2)


def test_a_bias_has_its_sign_and_stands_in_the_cells():
    figures = cohort.figures(made_table(bias=-0.8))
    assert figures["mrd1_mm_bias"] == pytest.approx(-0.8, abs=0.1)
    assert figures["0.6 to 0.8 px/deg: mrd1_mm_bias"] == pytest.approx(-0.8, abs=0.1)
    assert not any(key.startswith("kind ptosis") for key in figures)


def test_what_has_no_number_is_left_out_and_a_shut_eye_counted():
    table = made_table()
    table["yaw_deg"][::2] = np.nan
    table["openness_true"][:10] = 0
    table["openness"][:10] = [0] * 9 + [0.1]
    figures = cohort.figures(table)
    assert np.isfinite([value for value in figures.values() if isinstance(value, float)]).all()
    assert figures["shut_eyes_fissure_0_share"] == pytest.approx(0.9)


def test_a_table_that_is_none_is_named(tmp_path):
    with pytest.raises(Error, match="expected"):
        cohort.read_tables([tmp_path / "none.csv"])
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(Error, match="--cohort"):
        cohort.read_tables([tmp_path / "other.csv"])
    head = ",".join(cohort.COLUMNS) + "\n"
    words = {"kind": "healthy", "eye": "od", "reason": ""}
    row = ",".join(words.get(name, "1.0") for name in cohort.COLUMNS) + "\n"

    def with_cell(name, cell):
        cells = row.strip().split(",")
        cells[cohort.COLUMNS.index(name)] = cell
        return head + ",".join(cells) + "\n"

    for content, said in (
        (b"\xff\xfe", "no table in UTF-8"),
        (head.encode(), "no rows"),
        ((head + row + row[:20] + "\n").encode(), "line 3: .* copy it again"),
        ((head + row.replace("1.0", "one", 1)).encode(), "line 2: a cell is no number"),
        ((head + row.replace("1.0", "1e308", 1)).encode(), "line 2: a number is beyond"),
        ((head + row + row).encode(), "line 3: patient 1, frame 1, od was read before"),
    ):
        (tmp_path / "bad.csv").write_bytes(content)
        with pytest.raises(Error, match=said):
            cohort.read_tables([tmp_path / "bad.csv"])
    for name, cell, said in (
        ("valid", "7", "7 is none of the column valid"), ("kind", "tall", "column kind"), ("eye", "x", "eye"),
        ("seed", "nan", "have to be numbers"), ("yaw_sd_deg", "-1", "deviation is not above 0"),
        ("frame", "1_0", "a cell is no number"), ("size_px", "inf", "beyond"),
    ):  # fmt: skip
        (tmp_path / "bad.csv").write_text(with_cell(name, cell))
        with pytest.raises(Error, match=said):
            cohort.read_tables([tmp_path / "bad.csv"])
    (tmp_path / "good.csv").write_text(with_cell("yaw_sd_deg", "nan"))  # of an eye that was not measured
    assert cohort.read_tables([tmp_path / "good.csv"])["seed"].tolist() == [1.0]


def test_limits_of_agreement_stand_where_they_are():
    true = np.linspace(0, 10, 500)
    measured = true + 1.0 + np.random.default_rng(0).normal(0, 0.5, 500)
    picture = agreement.panel("x", measured, true)
    red = (picture[:, :, 2] > 150) & (picture[:, :, 0] < 120)
    rows = np.flatnonzero(red.sum(1) > 200)
    span = agreement.PANEL_PX[1] - agreement.TOP - agreement.BOTTOM
    reach = 1.3 * (1.96 * 0.5 + 1.0)
    wanted = [agreement.TOP + (1 - (level + reach) / (2 * reach)) * span for level in (1.98, 1.0, 0.02)]
    assert all(np.abs(rows - row).min() <= 4 for row in wanted)
    assert (agreement.panel("nothing", np.full(9, np.nan), true[:9])[60:] == 255).all()


def assert_stated_as_fitted(file):
    """Standard deviations of the core are those that bench/stated_sd.py makes of its Spreads."""
    sys.path.insert(0, str(CHECKOUT / "bench"))
    stated_sd = pytest.importorskip("stated_sd", reason="needs the checkout's bench folder")
    table = cohort.read_tables([file])
    source = (CHECKOUT / "cpp" / "src" / "fit" / "uncertainty.cc").read_text()
    for name, spread in stated_sd.SPREADS.items():
        told = re.search(rf"Spread {spread}\s*{{(.*?)}}", source)
        coefficients = np.array([float(value) for value in told[1].split(",")])
        measured = np.isfinite(table[name])
        terms = stated_sd.covariates(table, name)[measured]
        variance = stated_sd.fixed_variance(table, name)[measured] + terms[:, 1:] ** 2 @ coefficients[1:] ** 2
        if not stated_sd.of_gaze(name):
            variance += coefficients[0] ** 2
        assert measured.any(), name
        assert table[cohort.STATED[name]][measured] == pytest.approx(np.sqrt(variance), rel=0.02), name


def test_a_cohort_is_drawn_measured_and_read_again(tmp_path, shared, capsys):
    folders = [f"{shared}/data/ict_facekit", f"{shared}/data/unityeyes2"]
    table, plot, sheet = (tmp_path / name for name in ("rows.csv", "plot.png", "sheet.png"))
    first, again = tmp_path / "first.json", tmp_path / "again.json"
    command = ["eval", "rendered", "--cohort", "--patients", "1", "--frames", "3", "--first", "3"]
    more = ["--ict", folders[0], "--unityeyes2", folders[1], "--table", str(table), "--plot", str(plot)]
    assert cli.main([*command, *more, "--sheet", str(sheet), "--json", str(first)]) == 0
    assert cli.main(["eval", "rendered", "--cohort", "--read", str(table), "--json", str(again)]) == 0
    assert json.loads(first.read_text()) == pytest.approx(json.loads(again.read_text()))
    assert cv2.imread(str(plot)).shape[1] == 3 * agreement.PANEL_PX[0]
    assert cv2.imread(str(sheet)).shape[1] == 4 * cohort.TILE_PX
    assert_stated_as_fitted(table)
    for wrong in (["--sheet", "x.png"], ["--table", "x.csv"], ["--quick"], ["--matrix"]):
        assert cli.main(["eval", "rendered", "--cohort", "--read", str(table), *wrong]) == 2, wrong
    assert cli.main(["eval", "rendered", "--table", "x.csv"]) == 2
    assert cli.main(["eval", "rendered", "--cohort"]) == 2
    assert "--cohort" in capsys.readouterr().err


def test_a_cohort_takes_no_size(tmp_path, capsys):
    assert cli.main(["eval", "rendered", "--cohort", "--size", "480"]) == 2
    assert "--size" in capsys.readouterr().err
