"""A run that is killed, stopped or out of room leaves whole results, the earlier ones, or none."""

from __future__ import annotations

import csv
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import av
import pytest
from conftest import take_interrupts, write_video

from dmask import cli
from dmask.io.claim import InUse, claimed
from dmask.io.track import read_track

FILES = ("frames.csv", "mask.mp4", "run.json", "summary.json", "track.dmask")


def state_of(folder: Path) -> str:
    """`absent`, `gap` where a file is missing, or the profile of the run that the results are of.

    Fails where five files are there and are not those of one whole run, or where what is there is mixed.
    """
    there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if not there & set(FILES):
        return "absent"
    profiles = set()
    lengths = set()
    if "run.json" in there:
        report = json.loads((folder / "run.json").read_text())
        profiles.add(report["options"]["profile"])
        lengths.add(report["input"]["frames"])
    if "summary.json" in there:
        profiles.add(json.loads((folder / "summary.json").read_text())["profile"])
    if "frames.csv" in there:
        with (folder / "frames.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert all(None not in row.values() for row in rows)
        lengths.add(len(rows))
    if "track.dmask" in there:
        track = read_track(folder / "track.dmask")
        profiles.add(track.subject.profile)
        lengths.add(len(track))
    if "mask.mp4" in there:
        with av.open(str(folder / "mask.mp4")) as video:
            lengths.add(sum(1 for _ in video.decode(video=0)))
    assert len(profiles) <= 1 and len(lengths) <= 1, (profiles, lengths)
    return profiles.pop() if there >= set(FILES) else "gap"


def command(source: Path, out: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "dmask", "run", str(source), "-o", str(out), *more]


def stopped(arguments: list[str], number: int, when: Callable[[], bool], delay_s: float = 0.0) -> int:
    """Exit code of a run that gets the signal `delay_s` after `when` first holds."""
    process = subprocess.Popen(
        arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=take_interrupts
    )
    while process.poll() is None and not when():
        time.sleep(0.0005)
    time.sleep(delay_s)
    process.send_signal(number)
    return process.wait(timeout=120)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def earlier(tmp_path_factory, patient_video) -> Path:
    """Results of the profile `strict`, to be replaced by those of `clinical`."""
    out = tmp_path_factory.mktemp("earlier") / "out"
    assert cli.main(["run", str(patient_video), "-o", str(out), "--profile", "strict"]) == 0
    assert state_of(out) == "strict"
    return out


MOMENTS = {
    "start": lambda folder: True,
    "partial": lambda folder: any(folder.glob(".out.dmask-partial-*")),
    "encoding": lambda folder: any(p.stat().st_size for p in folder.glob(".out.dmask-partial-*/mask.mp4")),
    "last file": lambda folder: any(folder.glob(".out.dmask-partial-*/run.json")),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_run_leaves_nothing_that_looks_whole_and_the_next_clears_up(tmp_path, patient_video, moment):
    out = tmp_path / "out"
    code = stopped(command(patient_video, out), signal.SIGKILL, lambda: MOMENTS[moment](tmp_path))
    assert code in (0, -signal.SIGKILL)
    assert state_of(out) in ("absent", "clinical")
    assert cli.main(["run", str(patient_video), "-o", str(out), "--overwrite"]) == 0
    assert state_of(out) == "clinical"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("more", [(), ("--threads", "2")])
def test_a_killed_run_that_replaces_results_leaves_the_earlier_ones(tmp_path, patient_video, earlier, more):
    out = tmp_path / "out"
    shutil.copytree(earlier, out)
    arguments = command(patient_video, out, "--overwrite", *more)
    assert stopped(arguments, signal.SIGKILL, lambda: MOMENTS["encoding"](tmp_path)) == -signal.SIGKILL
    assert contents(out) == contents(earlier)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_run_that_replaces_results_leaves_the_earlier_ones_and_nothing_else(
    tmp_path, patient_frames, earlier, number
):
    out, video = tmp_path / "out", write_video(tmp_path / "in.mp4", patient_frames * 20)
    shutil.copytree(earlier, out)
    arguments = command(video, out, "--overwrite", "--threads", "2")
    assert stopped(arguments, number, lambda: MOMENTS["partial"](tmp_path), 0.1) == 130
    assert contents(out) == contents(earlier)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", "out"]


def test_a_killed_folder_run_has_whole_items_and_no_list_of_them(tmp_path, patient_frames):
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for name in ("first", "second"):
        write_video(source / f"{name}.mp4", patient_frames[:6])
    assert cli.main(["run", str(source), "-o", str(out), "--profile", "strict"]) == 0
    arguments = command(source, out, "--overwrite")
    assert (
        stopped(arguments, signal.SIGKILL, lambda: any(out.glob(".second.dmask-partial-*")))
        == -signal.SIGKILL
    )
    assert (state_of(out / "first"), state_of(out / "second")) == ("clinical", "strict")
    assert not (out / "batch.csv").exists()
    assert cli.main(["run", str(source), "-o", str(out), "--overwrite"]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["batch.csv", "first", "second"]


KILLED_AT = """
import os, signal, sys
from pathlib import Path
from dmask.io.atomic import atomic_folder
left = int(sys.argv[2])
def fatal(real):
    def call(*arguments, **more):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **more)
    return call
for name in ("rename", "replace", "unlink", "mkdir", "rmdir"):
    setattr(os, name, fatal(getattr(os, name)))
with atomic_folder(Path(sys.argv[1]), True, obsolete=["mask.png"]) as partial:
    for name in ("a", "b"):
        (partial / name).write_text("new")
"""


def test_results_killed_at_any_step_of_being_replaced_are_never_a_mixture(tmp_path):
    out = tmp_path / "out"
    seen = set()
    for step in range(40):
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        for name, text in {"a": "old", "b": "old", "mask.png": "old", "notes.txt": "mine"}.items():
            (out / name).write_text(text)
        code = subprocess.run([sys.executable, "-c", KILLED_AT, str(out), str(step)]).returncode
        assert (out / "notes.txt").read_text() == "mine"
        left = {path.name: path.read_text() for path in out.iterdir() if path.name != "notes.txt"}
        assert len(set(left.values())) <= 1
        if set(left.values()) == {"new"}:
            assert "mask.png" not in left
        seen.add((*sorted(left), *set(left.values())))
        if code == 0:
            break
    assert code == 0 and ("a", "b", "new") in seen and ("a", "b", "mask.png", "old") in seen


def test_a_folder_where_a_file_belongs_is_refused_and_nothing_replaced(
    tmp_path, patient_video, earlier, capsys
):
    out = tmp_path / "out"
    shutil.copytree(earlier, out)
    (out / "track.dmask").unlink()
    (out / "track.dmask").mkdir()
    assert cli.main(["run", str(patient_video), "-o", str(out), "--overwrite"]) == 1
    assert "a folder is there" in capsys.readouterr().err
    assert (out / "frames.csv").read_bytes() == (earlier / "frames.csv").read_bytes()


def assert_out_of_room(source: Path, out: Path, *more: str, limit_bytes: int | None = None) -> None:
    def limit() -> None:
        if limit_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

    before = contents(out) if out.exists() else None
    done = subprocess.run(
        command(source, out, *more), preexec_fn=limit, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("dmask: ") and done.stderr.count("\n") == 1
    assert (contents(out) if out.exists() else None) == before
    assert not list(out.parent.glob("*.dmask-partial-*"))


@pytest.mark.parametrize("limit_bytes", [100, 3000, 20000])
def test_out_of_room_is_a_sentence_and_nothing_half_written(tmp_path, patient_video, earlier, limit_bytes):
    assert_out_of_room(patient_video, tmp_path / "new", limit_bytes=limit_bytes)
    out = tmp_path / "out"
    shutil.copytree(earlier, out)
    assert_out_of_room(patient_video, out, "--overwrite", limit_bytes=limit_bytes)


def test_a_full_disk_is_a_sentence_and_the_earlier_results_stay(tmp_path, patient_video, earlier):
    size = sum(path.stat().st_size for path in earlier.iterdir())
    room = ["mount", "-t", "tmpfs", "-o", f"size={int(1.4 * size)}", "none", str(tmp_path)]
    if os.geteuid() != 0 or subprocess.run(room, capture_output=True).returncode != 0:
        pytest.skip("needs to mount a small tmpfs, which is not allowed here")
    try:
        shutil.copytree(earlier, tmp_path / "out")
        assert_out_of_room(patient_video, tmp_path / "out", "--overwrite")
        assert_out_of_room(patient_video, tmp_path / "out", "--overwrite", "--threads", "2")
        assert_out_of_room(patient_video, tmp_path / "new")
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_results_go_into_a_folder_that_is_a_mount_point(tmp_path, patient_video):
    out = tmp_path / "out"
    out.mkdir()
    mount = ["mount", "-t", "tmpfs", "none", str(out)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("needs to mount a tmpfs, which is not allowed here")
    try:
        assert cli.main(["run", str(patient_video), "-o", str(out)]) == 0
        assert sorted(path.name for path in out.iterdir()) == sorted(FILES)
    finally:
        subprocess.run(["umount", str(out)], check=True)


HOLD = """
import sys, time
from pathlib import Path
from dmask.io.claim import claimed
with claimed(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@contextmanager
def held(out: Path):
    """Another process that writes to `out`."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(out)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_second_run_into_one_out_is_refused_at_once(tmp_path, patient_video, earlier, capsys):
    source = tmp_path / "in"
    source.mkdir()
    shutil.copy(patient_video, source / "a.mp4")
    for name, words in {
        "out": ["run", str(patient_video), "--overwrite"],
        "outs": ["run", str(source), "--overwrite"],
        "out.csv": ["detect", str(patient_video), "--overwrite"],
        "mask.mp4": ["render", str(earlier / "track.dmask"), "--overwrite"],
        "live": ["run", str(source), "--live", "--seconds", "1"],
    }.items():
        out = tmp_path / name
        with held(out) as process:
            before = sorted(tmp_path.iterdir())
            started_s = time.monotonic()
            assert cli.main([*words, "-o", str(out)]) == 2
            assert time.monotonic() - started_s < 5
            said = capsys.readouterr().err
            assert f"is being written by another run (process {process.pid})" in said
            assert said.count("\n") == 1 and sorted(tmp_path.iterdir()) == before


def test_the_lock_of_a_run_that_died_is_taken_over(tmp_path, patient_video):
    out = tmp_path / "out"
    with held(out):
        pass  # killed: its lock's file stays
    assert (tmp_path / ".out.dmask-lock").exists()
    assert cli.main(["run", str(patient_video), "-o", str(out)]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_of_two_runs_at_once_one_is_whole_and_the_other_told(tmp_path, patient_video):
    out = tmp_path / "out"
    runs = [
        subprocess.Popen(command(patient_video, out, "--overwrite"), stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = {run.wait(timeout=120): run.communicate()[1] for run in runs}
    assert set(said) == {0, 2} and "another run" in said[2]
    assert state_of(out) == "clinical"


def test_a_folder_s_item_is_not_written_by_two_runs(tmp_path, patient_video):
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    out.mkdir()
    shutil.copy(patient_video, source / "a.mp4")
    with held(out / "a"):
        assert cli.main(["run", str(source), "-o", str(out), "--overwrite"]) == 1
    assert "another run" in (out / "batch.csv").read_text()


def test_a_lock_is_of_one_thread(tmp_path):
    refused = []

    def other():
        try:
            with claimed(tmp_path / "out"):
                pass
        except InUse as error:
            refused.append(str(error))

    with claimed(tmp_path / "out"), claimed(tmp_path / "out"):  # its own holder may claim it again
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert len(refused) == 1 and list(tmp_path.iterdir()) == []
