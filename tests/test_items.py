"""Several recordings: which files are items, what they are called, and what becomes of earlier results."""

from __future__ import annotations

import csv
import json
import os
import shutil
import stat

import cv2
import numpy as np
import pytest
from conftest import background, write_video

from dmask import cli
from dmask.errors import Error, WrongUse
from dmask.io import identifiers
from dmask.io.identifiers import Identifiers, default_secret_path, read_secret
from dmask.io.items import anonymous, find_items


def rows_of(out):
    with (out / "batch.csv").open(newline="", encoding="utf-8") as file:
        return {row["item"]: row for row in csv.DictReader(file)}


def statuses(out):
    return {name: row["status"] for name, row in rows_of(out).items()}


def picture(path, seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), background(seed=seed))
    return path


def face(path, frame):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), frame)
    return path


def names_of(found):
    return [item.name for item in found.items]


def broken(path, count=40):
    """A recording that was cut off in its middle."""
    noise = [np.random.default_rng(i).integers(0, 255, (64, 64, 3), dtype=np.uint8) for i in range(count)]
    video = write_video(path, noise)
    video.write_bytes(video.read_bytes()[: video.stat().st_size // 2])
    return video


# ---- Which files are items, and their names.


def test_what_is_no_recording_is_skipped_and_listed_and_no_failure(tmp_path, capsys):
    source, out = tmp_path / "in", tmp_path / "out"
    picture(source / "a.png")
    (source / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(500))
    (source / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (source / "notes.txt").write_text("Seen at nine.\n" * 20)
    (source / "list.csv").write_text("a,b\n1,2\n")
    (source / "empty").touch()
    picture(source / "below" / "b.png")
    assert cli.main(["run", str(source), "-o", str(out)]) == 0
    said = capsys.readouterr()
    assert "1 items, 0 failed, 6 others skipped" in said.out and said.err == ""
    assert statuses(out) == {"a": "no_face"} | dict.fromkeys(
        (".DS_Store", "Thumbs.db", "below", "empty", "list.csv", "notes.txt"), "skipped"
    )
    assert "-r" in rows_of(out)["below"]["reason"]


def test_a_recording_without_a_suffix_is_an_item_and_a_broken_one_is_a_failure(tmp_path):
    source, out = tmp_path / "in", tmp_path / "out"
    picture(source / "a.png").rename(source / "scan")
    write_video(source / "b.mp4", [background()] * 2).rename(source / "visit 12.03")
    (source / "bad.mp4").write_text("nothing")
    (source / "away.mp4").symlink_to(tmp_path / "nowhere.mp4")
    assert cli.main(["run", str(source), "-o", str(out)]) == 1
    assert statuses(out) == {"scan": "no_face", "visit 12": "no_face", "bad": "failed", "away": "failed"}


def test_a_folder_of_nothing_but_other_files_says_so(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "notes.txt").write_text("none")
    assert cli.main(["run", str(tmp_path / "in"), "-o", str(tmp_path / "out")]) == 1
    assert "notes.txt (no video and no picture); expected recordings" in capsys.readouterr().err


def test_names_of_a_folder_and_its_folders(tmp_path):
    for name in (
        "a.mp4",
        "a/a.png",
        "a/b.png",
        "c.x/d.png",
        "c.x/d.jpg",
        "e.png",
        ".git/f.png",
        "batch.csv.png",
    ):
        picture(tmp_path / "in" / name.replace(".mp4", ".png")).rename(tmp_path / "in" / name)
    picture(tmp_path / "in" / "out" / "g.png")
    found = find_items([tmp_path / "in"], recursive=True, out=tmp_path / "in" / "out")
    assert sorted(names_of(found)) == [
        "a.mp4", "a/a", "a/b", "batch.csv.png", "c.x/d.jpg", "c.x/d.png", "e",
    ]  # fmt: skip
    assert {name for name, _ in found.skipped} == {".git", "out"}
    assert names_of(find_items([tmp_path / "in"])) == ["a", "batch.csv.png", "e"]


def test_files_and_folders_together(tmp_path):
    first, second = picture(tmp_path / "x" / "a.png"), picture(tmp_path / "y" / "a.png")
    picture(tmp_path / "y" / "b.png")
    found = find_items([first, tmp_path / "y", second])
    assert names_of(found) == ["x/a", "y/a", "b"]
    same = [picture(tmp_path / "1" / "z" / "a.png"), picture(tmp_path / "2" / "z" / "a.png")]
    with pytest.raises(WrongUse, match="would both go to z/a.png"):
        find_items(same)


def test_a_link_in_a_folder_that_leads_back_ends_nothing(tmp_path):
    picture(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "again").symlink_to(tmp_path / "in")
    found = find_items([tmp_path / "in"], recursive=True)
    assert len(found.items) <= 2


def test_several_inputs_and_folders_in_folders_are_run(tmp_path):
    one, folder, out = picture(tmp_path / "one.png"), tmp_path / "many", tmp_path / "out"
    picture(folder / "sub" / "two.png")
    picture(folder / "sub" / "two.jpg")
    assert cli.main(["run", str(one), str(folder), "-r", "-o", str(out)]) == 0
    assert set(statuses(out)) == {"one", "sub/two.png", "sub/two.jpg"}
    for name in ("one", "sub/two.png", "sub/two.jpg"):
        assert (out / name / "mask.png").is_file()
    table = tmp_path / "out.csv"
    assert cli.main(["detect", str(one), str(folder), "-r", "-o", str(table)]) == 0
    assert [line.split(",")[0] for line in table.read_text().splitlines()[1:]] == [
        "one.png",
        "two.jpg",
        "two.png",
    ]


def test_results_inside_the_input_are_made_again_and_never_taken_for_recordings(tmp_path):
    source, out = picture(tmp_path / "in" / "a.png").parent, tmp_path / "in" / "out"
    command = ["run", str(source), "-r", "-o", str(out)]
    assert cli.main(command) == 0
    assert cli.main([*command, "--resume"]) == 0 and cli.main([*command, "--overwrite"]) == 0
    assert statuses(out) == {"a": "no_face", "out": "skipped"}
    found = find_items([source], recursive=True)
    assert names_of(found) == ["a"] and ("out/a", "results of an earlier run") in found.skipped


def test_a_camera_stands_alone(tmp_path, capsys):
    assert cli.main(["run", "0", str(picture(tmp_path / "a.png")), "-o", str(tmp_path / "out")]) == 2
    assert "expected it alone" in capsys.readouterr().err


# ---- Identifiers that stay.


def test_an_identifier_stays_with_its_recording_whatever_comes_or_goes(tmp_path, patient_frames, monkeypatch):
    source, out = tmp_path / "in", tmp_path / "out"
    face(source / "mary.png", patient_frames[0])
    command = ["run", str(source), "-o", str(out), "--anonymous-ids"]
    assert cli.main(command) == 0
    (mary,) = statuses(out)
    assert len(mary) == 12 and mary.islower()
    before = (out / mary / "frames.csv").read_bytes()
    face(source / "adam.png", patient_frames[9])
    (source / "mary.png").rename(source / "zoe.png")
    assert cli.main([*command, "--overwrite"]) == 0
    assert len(statuses(out)) == 2 and (out / mary / "frames.csv").read_bytes() == before
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "other"))
    assert cli.main(["run", str(source), "-o", str(tmp_path / "b"), "--anonymous-ids"]) == 0
    assert not set(statuses(tmp_path / "b")) & set(statuses(out))


def test_a_failed_item_keeps_no_earlier_mask_and_one_that_is_gone_is_listed(tmp_path, patient_frames):
    source, out = tmp_path / "in", tmp_path / "out"
    for name in ("a", "b", "c"):
        face(source / f"{name}.png", patient_frames[0])
    assert cli.main(["run", str(source), "-o", str(out)]) == 0
    (out / "a" / "letter.txt").write_text("mine")
    (source / "a.png").write_bytes((source / "a.png").read_bytes()[:3000])
    (source / "b.png").write_bytes((source / "b.png").read_bytes()[:3000])
    (source / "c.png").rename(source / "d.png")
    assert cli.main(["run", str(source), "-o", str(out), "--overwrite"]) == 1
    assert statuses(out) == {"a": "failed", "b": "failed", "d": "done", "c": "absent"}
    assert [path.name for path in (out / "a").iterdir()] == ["letter.txt"]
    assert not (out / "b").exists() and (out / "c" / "mask.png").is_file()
    assert rows_of(out)["c"]["frames"] == "1"


def test_two_files_of_one_content_are_one_anonymous_item(tmp_path):
    source = tmp_path / "in"
    shutil.copy(picture(source / "a.png"), source / "b.png")
    found = anonymous(find_items([source]), Identifiers(b"s" * 32))
    assert len(found.items) == 1 and found.skipped[0].reason == "the same content as another file"


def test_different_contents_never_share_an_identifier(tmp_path, monkeypatch):
    monkeypatch.setattr(identifiers, "LETTERS", 1)
    ids = Identifiers(b"s" * 32)
    with pytest.raises(Error, match="--id-secret"):
        for number in range(40):
            (tmp_path / "a").write_text(str(number))
            ids.of_file(tmp_path / "a")


def test_the_secret_is_made_once_for_its_owner_alone(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    path = default_secret_path()
    assert path == tmp_path / "settings" / "dmask" / "id-secret"
    secret = read_secret()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and len(secret) == 64
    assert read_secret() == secret and os.listdir(path.parent) == ["id-secret"]
    own = tmp_path / "own"
    assert read_secret(str(own)) != secret and stat.S_IMODE(own.stat().st_mode) == 0o600
    (tmp_path / "short").write_text("1234")
    source = picture(tmp_path / "in" / "a.png").parent
    for name, code in (("short", 2), ("nowhere/at/all\0", 1), ("in", 1)):
        command = ["run", str(source), "-o", str(tmp_path / "out"), "--anonymous-ids", "--id-secret"]
        if "\0" in name:
            continue
        assert cli.main([*command, str(tmp_path / name)]) == code
        assert "--id-secret" in capsys.readouterr().err or name == "short"
    assert cli.main(["detect", str(own), "-o", str(own), "--id-secret", str(own), "--overwrite"]) == 2


def test_detect_uses_the_same_identifiers(tmp_path, patient_frames):
    source, out = tmp_path / "in", tmp_path / "out"
    face(source / "mary.png", patient_frames[0])
    assert cli.main(["run", str(source), "-o", str(out), "--anonymous-ids"]) == 0
    assert cli.main(["detect", str(source), "-o", str(tmp_path / "a.csv"), "--anonymous-ids"]) == 0
    assert (tmp_path / "a.csv").read_text().splitlines()[1].split(",")[0] in statuses(out)


# ---- Recordings that break off, and runs that go on.


def test_partial_takes_what_can_be_read_and_says_so(tmp_path, capsys):
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    video = broken(source / "a.mkv")
    assert cli.main(["run", str(video), "-o", str(out)]) == 1
    assert "--partial" in capsys.readouterr().err and not out.exists()
    assert cli.main(["run", str(video), "-o", str(out), "--partial"]) == 1  # no face; the files are there
    report = json.loads((out / "run.json").read_text())
    assert "breaks off" in report["input"]["partial"] and 5 < report["input"]["frames"] < 40
    assert any("not whole" in text for text in json.loads((out / "summary.json").read_text())["statements"])
    assert len((out / "frames.csv").read_text().splitlines()) == 1 + report["input"]["frames"]
    many = tmp_path / "many"
    assert cli.main(["run", str(source), "-o", str(many)]) == 1
    assert statuses(many) == {"a": "failed"} and "--partial" in rows_of(many)["a"]["reason"]
    assert cli.main(["run", str(source), "-o", str(many), "--overwrite", "--partial"]) == 0
    assert statuses(many) == {"a": "partial"} and "breaks off" in rows_of(many)["a"]["reason"]
    table = tmp_path / "a.csv"
    assert cli.main(["detect", str(video), "-o", str(table), "--partial"]) == 0
    assert "breaks off" in capsys.readouterr().out


@pytest.mark.parametrize("audio", [False, True])
@pytest.mark.parametrize(
    ("suffix", "codec"),
    [(".avi", "mpeg4"), (".mkv", "libx264"), (".webm", "libvpx"), (".mov", "libx264")],
)
@pytest.mark.parametrize("share", [0.5, 0.97])
def test_whatever_breaks_off_is_no_whole_recording(tmp_path, capsys, suffix, codec, audio, share):
    """With sound beside the pictures, too, and near the end: the file's own structure tells."""
    noise = [np.random.default_rng(i).integers(0, 255, (64, 64, 3), dtype=np.uint8) for i in range(40)]
    audio = audio and suffix != ".webm"  # which holds no AAC
    video = write_video(tmp_path / f"a{suffix}", noise, audio=audio, codec=codec, faststart=suffix == ".mov")
    out = tmp_path / "out"
    assert cli.main(["run", str(video), "-o", str(out)]) == 1  # no face, and whole
    assert "partial" not in json.loads((out / "run.json").read_text())["input"]
    video.write_bytes(video.read_bytes()[: int(video.stat().st_size * share)])
    assert cli.main(["run", str(video), "-o", str(tmp_path / "cut")]) == 1
    assert "--partial" in capsys.readouterr().err and not (tmp_path / "cut").exists()
    assert cli.main(["run", str(video), "-o", str(tmp_path / "cut"), "--partial"]) == 1
    assert "breaks off" in json.loads((tmp_path / "cut" / "run.json").read_text())["input"]["partial"]


def test_a_transport_stream_that_ends_in_a_packet_breaks_off(tmp_path, capsys):
    """It states no length: what is left of a packet is all that shows it."""
    video = broken(tmp_path / "a.ts")
    whole = video.stat().st_size // 188 * 188
    video.write_bytes(video.read_bytes()[: whole - 60])
    assert cli.main(["run", str(video), "-o", str(tmp_path / "out")]) == 1
    assert "128 of 188 bytes" in capsys.readouterr().err and not (tmp_path / "out").exists()
    assert cli.main(["run", str(video), "-o", str(tmp_path / "out"), "--partial"]) == 1  # no face
    assert "128 of 188" in json.loads((tmp_path / "out" / "run.json").read_text())["input"]["partial"]


def test_resume_keeps_what_is_whole_and_made_alike_and_makes_the_rest(tmp_path, patient_frames):
    source, out = tmp_path / "in", tmp_path / "out"
    write_video(source.mkdir() or source / "a.mp4", patient_frames[:4])
    for name in ("b", "c", "d", "e"):
        face(source / f"{name}.png", patient_frames[3])
    command = ["run", str(source), "-o", str(out), "--resume"]
    assert cli.main(command) == 0  # of nothing so far, it makes all
    stamps = {name: (out / name / "run.json").stat().st_mtime_ns for name in "abcde"}

    def remade():
        now = {name: (out / name / "run.json").stat().st_mtime_ns for name in "abcde"}
        changed = {name for name in now if now[name] != stamps[name]}
        stamps.update(now)
        return changed

    assert cli.main([*command, "--threads", "2"]) == 0
    assert remade() == set() and rows_of(out)["a"]["reason"] == "kept as it was"
    assert rows_of(out)["a"]["frames"] == "4" and set(statuses(out).values()) == {"done"}
    face(source / "b.png", patient_frames[5])  # another input
    (out / "c" / "summary.json").unlink()
    with (out / "d" / "frames.csv").open("a") as table:
        table.write("1,0.5\n")
    damaged = bytearray((out / "e" / "track.dmask").read_bytes())
    damaged[200] ^= 1
    (out / "e" / "track.dmask").write_bytes(damaged)
    assert cli.main(command) == 0
    assert remade() == {"b", "c", "d", "e"}
    mask = bytearray((out / "a" / "mask.mp4").read_bytes())
    mask[len(mask) // 2] ^= 1
    (out / "a" / "mask.mp4").write_bytes(mask)
    (out / "b" / "mask.png").write_bytes((source / "b.png").read_bytes())
    (out / "c" / "summary.json").write_text("{}")
    assert cli.main(command) == 0
    assert remade() == {"a", "b", "c"}
    assert cli.main([*command, "--hvid-mm", "12"]) == 0
    assert remade() == set("abcde")
    report = json.loads((out / "a" / "run.json").read_text())
    assert len(report["made_from"]["sha256"]) == 64
    assert cli.main(["run", str(source / "b.png"), "-o", str(tmp_path / "one"), "--resume"]) == 2


def test_a_mark_does_not_show_that_two_results_are_of_one_recording(tmp_path):
    source = picture(tmp_path / "in" / "a.png").parent
    for name in ("x", "y"):
        assert cli.main(["run", str(source), "-o", str(tmp_path / name)]) == 0
    marks = [json.loads((tmp_path / name / "a" / "run.json").read_text())["made_from"] for name in ("x", "y")]
    assert marks[0]["salt"] != marks[1]["salt"] and marks[0]["sha256"] != marks[1]["sha256"]
