"""bench/RESULTS.md is what its generator makes of the committed JSON, which names no place, person or day."""

import importlib.util
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

BENCH = Path(__file__).parent.parent / "bench"


def load(name: str):
    spec = importlib.util.spec_from_file_location(f"bench_{name}", BENCH / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_committed_results_are_the_generators():
    committed = (BENCH / "RESULTS.md").read_text()
    assert committed == load("results").results(BENCH / "results"), "run python bench/results.py"


@pytest.mark.parametrize("path", sorted((BENCH / "results").glob("*.json")), ids=lambda path: path.name)
def test_a_committed_result_names_no_path_and_no_date(path):
    text = path.read_text()
    assert json.loads(text)["hardware"]["cpu"]
    assert not re.search(r"(?<![\w.])/(?!s\b)\w+/", text)
    assert not re.search(r"\b20\d\d-\d\d-\d\d\b", text)


def test_a_missing_result_is_said(tmp_path):
    assert "bench.json was not made yet" in load("results").results(tmp_path)


def test_the_slope_of_memory_is_that_of_the_blocks_behind_the_first():
    rows = [(n * 10000, 300.0 if n == 1 else 400.0 + n) for n in range(1, 6)]
    output = "info\n320 x 240, 180 frames to and fro, threads 1; created in 100 ms, 90 MB resident\n"
    output += "".join(f"{frames} {mb} 5.0 7.0 9.0 10000 0.00 40.00\n" for frames, mb in rows)
    report = load("endurance").frames_report(output)
    assert report["frames"] == 50000 and len(report["blocks"]) == 5
    assert report["rss_slope_kb_per_1000_frames"] == pytest.approx(100.0)  # 1 MB per 10,000


def test_a_watched_run_tells_its_peak_and_its_late_slope():
    log = "".join(f"{s} {1024 * (100 + s if s < 60 else 160)} {1024 * 200}\n" for s in range(0, 121, 5))
    report = load("endurance").recording_report(log, 1800, 1920, 1080)
    assert report["peak_rss_mb"] == 200.0 and report["minutes_of_30_fps"] == 1.0
    assert report["rss_slope_mb_per_minute"] == pytest.approx(0.0, abs=1e-9)


def test_a_peer_that_is_not_there_is_said_and_not_an_error(tmp_path):
    peers = load("peers")
    frames = tmp_path / "frames.npy"
    np.save(frames, np.zeros((1, 8, 8, 3), np.uint8))
    row = peers.ask("eos", sys.executable, frames, None)
    assert row == {"missing": "not installed"} or "eos" in row["missing"]
