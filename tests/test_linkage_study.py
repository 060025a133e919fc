"""The linkage study: whose pictures these are, what is kept, who learns from whom, and the command."""

import csv
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import cv2
import numpy as np
import pytest
from test_recognisers import own

from dmask import cli
from dmask.errors import Error, WrongUse
from dmask.evaluate.linkage import attacks, recognisers, scores
from dmask.evaluate.linkage.attacks import Held, Material
from dmask.evaluate.linkage.faces import places
from dmask.evaluate.linkage.originals import (
    Original,
    Pair,
    copies,
    pairs_across,
    pairs_within,
    read_originals,
)
from dmask.evaluate.linkage.page import table
from dmask.evaluate.linkage.releases import PROFILES, columns_of_numbers, name_of, releases_of
from dmask.evaluate.linkage.shards import rows_of
from dmask.evaluate.linkage.study import Plan, check_own, doubts_of_copies
from dmask.io.claim import claimed
from dmask.synthetic import Pose, SyntheticPatient

PEOPLE = 20
SIDE_PX = 480


def make_files(folder, names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return folder


def test_a_picture_shows_whom_its_file_or_its_folder_is_called_after(tmp_path):
    folder = make_files(tmp_path, ["a/anna.png", "b/anna.png", "b/bert.jpg", "b/notes.txt", "b/._bert.jpg"])
    by_file = read_originals([folder], "file")
    assert [(one.person, one.session) for one in by_file] == [
        ("anna", str(folder / "a")), ("anna", str(folder / "b")), ("bert", str(folder / "b")),
    ]  # fmt: skip
    by_folder = read_originals([folder], "folder")
    assert [(one.person, one.session) for one in by_folder] == [("a", "anna"), ("b", "anna"), ("b", "bert")]
    with pytest.raises(WrongUse, match="holds no pictures"):
        read_originals([make_files(tmp_path / "c", ["x.txt"])], "file")
    with pytest.raises(WrongUse, match="neither a folder nor a .csv"):
        read_originals([tmp_path / "missing"], "file")


def test_copies_are_counted_whatever_they_are_called(tmp_path):
    make_files(tmp_path, ["a/anna.png", "b/anna.png", "b/bert.png", "c/anna.png"])
    for name, content in (("a/anna", b"1"), ("b/anna", b"1"), ("b/bert", b"2"), ("c/anna", b"11")):
        (tmp_path / f"{name}.png").write_bytes(content)
    assert copies(found := read_originals([tmp_path], "file")) == 1

    def plan(attacked, others):
        return Plan(attacked, [], [], others, [], [], {}, {})

    assert doubts_of_copies(plan(found[:1], found[2:])) == []
    assert [doubt.split()[0] for doubt in doubts_of_copies(plan(found[:2], found[2:]))] == ["1"]
    assert "learn from" in doubts_of_copies(plan(found[:1], found[1:]))[0]


def test_a_manifest_says_it_line_by_line(tmp_path):
    make_files(tmp_path, ["p/1.png", "p/2.png"])
    manifest = tmp_path / "people.csv"
    manifest.write_text("path,person,session\np/1.png,anna,monday\np/2.png,anna,\n")
    found = read_originals([manifest], "folder")
    assert [(one.path.name, one.person, one.session) for one in found] == [
        ("1.png", "anna", "monday"), ("2.png", "anna", ""),
    ]  # fmt: skip
    manifest.write_bytes("path,person\np/1.png,Müller\n".encode("latin-1"))
    with pytest.raises(WrongUse, match="no text in UTF-8"):
        read_originals([manifest], "file")
    for text, said in (
        ("path,person\n" + 200_000 * "x" + ",anna\n", "field larger"),
        ("path,name\np/1.png,anna\n", "no column person"),
        ("path,person\np/3.png,anna\n", "line 2: got path 'p/3.png'"),
        ("path,person\np/1.png,\n", "line 2"),
    ):
        manifest.write_text(text)
        with pytest.raises(WrongUse, match=said):
            read_originals([manifest], "file")


def test_pairs_are_of_two_sessions_or_of_one():
    originals = [
        Original(Path(f"{i}"), person, session)
        for i, (person, session) in enumerate(
            [("anna", "2"), ("anna", "1"), ("anna", "1"), ("bert", "1"), ("carl", "1"), ("carl", "1")]
        )
    ]
    assert pairs_across(originals) == [Pair(1, 0)]
    assert pairs_within(originals) == [Pair(1, 2), Pair(4, 5)]


def squares(items, settings):
    if settings.get("fail"):
        raise Error("cannot")
    Path(settings["log"]).open("a").write("x" * len(items))
    return {"square": np.array([number * number for _, number in items])}


def test_what_is_made_is_kept_and_made_again_where_its_file_changed(tmp_path):
    picture, log = tmp_path / "one.png", tmp_path / "log"
    picture.write_bytes(b"1")
    items = [(picture, number) for number in range(60)]
    shown = []

    def made(**more):
        return rows_of(
            "s", items, squares, {"log": str(log), **more}, tmp_path / "kept", 2, lambda *a: shown.append(a)
        )

    with pytest.raises(Error, match="cannot"):
        made(fail=True)
    assert made()["square"].tolist() == [n * n for n in range(60)]
    assert len(log.read_text()) == 60 and shown[-1] == (3, 3)
    next((tmp_path / "kept").iterdir()).unlink()
    assert made()["square"].tolist() == [n * n for n in range(60)]
    assert 60 < len(log.read_text()) < 120  # the missing part alone
    before = len(log.read_text())
    picture.write_bytes(b"12")
    made()
    assert len(log.read_text()) == before + 60


def test_a_face_that_was_not_found_is_where_faces_lie():
    points = np.full((3, 68, 2), 50.0)
    points[1] = np.nan
    found = places(points, np.array([[100, 100], [200, 200], [100, 100]]))
    assert (found[1] == 100).all() and (found[0] == 50).all()
    with pytest.raises(ValueError, match="without a single face"):
        places(points[1:2], np.array([[200, 200]]))


def material(strength, seed=0, people=60):
    """Two releases each, of which `strength` stays with the person."""
    random = np.random.default_rng(seed)
    who = random.normal(size=(people, 6))
    mix = np.random.default_rng(9).normal(size=(6, 10))

    def release(of):
        return strength * (of @ mix) + random.normal(size=(len(of), 10))

    both = np.concatenate([who, who])
    others = random.normal(size=(1500, 6))
    names = [f"p{i}" for i in range(people)] * 2
    rows = {"clinical_numbers": release(both)}
    pairs = [Pair(i, i + people) for i in range(people)]
    faces = np.random.default_rng(8).normal(size=(6, 12))
    return Material(
        names, pairs, [], rows, both @ faces, {}, {}, {"clinical_numbers": release(others)}, others @ faces
    )


@pytest.mark.parametrize("against", ["faces", "masks", "pairs"])
def test_attackers_find_what_is_there_and_nothing_where_nothing_is(against):
    for strength in (1.0, 0.0):
        known = material(strength)
        held = Held.of(known, "clinical", "files")
        of = attacks.discriminated if against == "pairs" else lambda *a: attacks.correlated(against, *a)
        found = [scores.auc(attacks.over_folds(held, known.other, of, control)) for control in (False, True)]
        assert found[0] > 0.9 if strength else abs(found[0] - 0.5) < 0.12
        assert abs(found[1] - 0.5) < 0.12  # the control


def test_nobody_is_scored_by_an_attacker_who_learnt_from_him():
    known = material(1.0)
    seen = []

    def of(held, learnt, pairs, control):
        seen.append(learnt)
        return np.full((len(pairs), len(pairs)), float(len(seen)))

    held = Held.of(known, "clinical", "files")
    table = attacks.over_folds(held, known.other, of, False)
    assert np.isfinite(table).all()
    for i, j in ((0, 1), (5, 5), (7, 30)):
        learnt = seen[int(table[i, j]) - 1]
        assert not learnt[known.other[i].query] and not learnt[known.other[j].gallery]
    assert len({int(learnt.sum()) for learnt in seen}) == 1  # all of them learnt from as many


def picture_of(seed, session):
    random = np.random.default_rng([seed, session])
    yaw, pitch = random.normal(0, 6, 2)
    pose = Pose(head_yaw_deg=float(random.normal(0, 5)), od_yaw_deg=yaw, os_yaw_deg=yaw, od_pitch_deg=pitch,
                os_pitch_deg=pitch)  # fmt: skip
    return SyntheticPatient(seed, (SIDE_PX, SIDE_PX)).render(pose)[0]


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    for session in (0, 1):
        (folder / f"s{session}").mkdir()
        for seed in range(PEOPLE):
            cv2.imwrite(str(folder / f"s{session}" / f"p{seed}.png"), picture_of(seed, session))
    return folder


def test_releases_are_what_their_profiles_let_out(people, tmp_path):
    paths = sorted((people / "s0").iterdir())[:2]
    plain = tmp_path / "plain.png"
    cv2.imwrite(str(plain), np.full((SIDE_PX, SIDE_PX, 3), 128, np.uint8))
    settings = {"options": {"backend": "cpu"}, "profiles": PROFILES, "masks": str(tmp_path / "masks")}
    rows = releases_of([(path,) for path in (*paths, plain)], settings)
    assert rows["face"].tolist() == [True, True, False]
    at = columns_of_numbers()
    for profile in PROFILES:
        numbers = rows[f"{profile}_numbers"]
        assert np.isfinite(numbers[:2, at["head_yaw_deg"]]).all()
        assert np.isfinite(numbers[:2, at["head_z_mm"]]).all() == (profile == "article")
        assert np.isfinite(numbers[:2, at["od_mrd1_mm"]]).all() == (profile != "strict")
        assert numbers[:, at["identity"]].any() == (profile == "article")
        assert np.isnan(numbers[2, at["units"]]).all()
        for i in range(2):  # the mask's landmarks are where its face is
            mask = cv2.imread(str(tmp_path / "masks" / profile / name_of(paths[i])))
            face = cv2.cvtColor(mask, cv2.COLOR_BGR2GRAY) < 225
            x, y = rows[f"{profile}_points"][i].round().astype(int).T
            assert face[np.clip(y, 0, SIDE_PX - 1), np.clip(x, 0, SIDE_PX - 1)].mean() > 0.9
    straight = rows["clinical_straight"][:2].astype(int)
    assert (
        np.abs(straight[0] - straight[1]).mean()
        < np.abs(rows["clinical_mask"][0].astype(int) - rows["clinical_mask"][1]).mean()
    )


def test_the_command_attacks_and_goes_on_where_it_stopped(people, tmp_path, capsys):
    net = own(tmp_path)
    words = ["eval", "linkage", str(people / "s0"), str(people / "s1"), "-o", str(tmp_path / "out"),
             "--recogniser", str(net), "--no-network", "--workers", "1", "--backend", "cpu"]  # fmt: skip
    assert cli.main(words) == 0
    said = capsys.readouterr().out
    assert f"{PEOPLE} people, {PEOPLE} of them in two sessions" in said and "chance 5 %" in said
    figures = json.loads((tmp_path / "out" / "linkage.json").read_text())
    found = {(a["of"], a["has"], a["attacker"], a["against"], a["session"]): a for a in figures["attacks"]}
    assert ("original", "mask", "mine", "faces", "other") in found
    for profile in PROFILES:
        for has in attacks.HAS:
            assert (profile, has, "correlation with faces", "masks", "other") in found
            assert (profile, has, "discriminant", "masks", "other") in found
        assert found[profile, "mask", "mine", "faces", "the very picture"]["people"] == PEOPLE
        assert figures["disguises"][profile]["faces_found"] == 1.0
    assert figures["disguises"]["original"]["openness_r"] > 0.99
    with (tmp_path / "out" / "linkage.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == len(found)
    page = (tmp_path / "out" / "index.html").read_text()
    assert "Rank-1" in page and "<svg" in page and "http" not in page.replace("https://", "")

    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "identifying").glob("*.npz")}
    assert kept and cli.main(words) == 0
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert json.loads((tmp_path / "out" / "linkage.json").read_text())["attacks"] == figures["attacks"]

    assert cli.main(["eval", "reid", *words[2:-5], "--backend", "cpu"]) == 0
    of_reid = json.loads((tmp_path / "out" / "linkage.json").read_text())["attacks"]
    assert of_reid and {(a["against"], a["attacker"]) for a in of_reid} == {("faces", "mine")}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_whoever_interrupts_all_processes_hears_of_it_once(tmp_path, number):
    (tmp_path / "slow.py").write_text(
        textwrap.dedent(
            """
            import pathlib, sys, time
            import numpy as np
            from dmask import cli
            from dmask.evaluate.linkage.shards import rows_of

            def make(items, settings):
                if items[0][0].name == "b":
                    print("begun", flush=True)
                    time.sleep(600)
                return {"a": np.zeros(len(items))}

            def run(args):
                here = pathlib.Path(__file__).parent
                items = [(here / name,) for name in "abc"]
                rows_of("x", items, make, {}, here / "kept", 1, lambda done, of: None, 1)

            if __name__ == "__main__":
                from dmask.evaluate import residual
                residual.run = run
                sys.exit(cli.main(["eval", "residual", "."]))
            """
        )
    )
    make_files(tmp_path, "abc")
    with subprocess.Popen(
        [sys.executable, "slow.py"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:  # fmt: skip
        assert process.stdout.readline() == "begun\n"
        os.killpg(process.pid, number)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert said == ("dmask: interrupted; what is made stays made: the same command goes on from there\n")
    assert len(list((tmp_path / "kept").iterdir())) == 1


def test_too_few_people_are_refused(people, tmp_path, capsys, monkeypatch):
    net = own(tmp_path)
    words = ["eval", "linkage", str(people / "s0"), "-o", str(tmp_path / "out"), "--recogniser", str(net)]
    assert cli.main(words) == 2
    assert "got 0 people with two sessions" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    monkeypatch.setattr(recognisers, "installed", list)
    assert cli.main(words[:-2]) == 2  # all that is missing, at once
    said = capsys.readouterr().err
    assert "got 0 people with two sessions" in said
    assert "pip install --no-deps 'face-recognition-models==0.3.0' dlib-bin" in said
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "frames.csv").write_text("kept")
    words = ["eval", "linkage", str(people / "s0"), str(people / "s1"), "-o", str(tmp_path / "taken"),
             "--recogniser", str(net), "--no-network"]  # fmt: skip
    assert cli.main(words) == 2
    assert "holds something already" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "taken").iterdir()] == ["frames.csv"]
    words[words.index(str(tmp_path / "taken"))] = str(tmp_path / "new")
    assert cli.main([*words, "--profile", "strict"]) == 2  # all of them are attacked
    with claimed(tmp_path / "new"):
        other = subprocess.run([sys.executable, "-m", "dmask", *words], capture_output=True, text=True)
    assert other.returncode == 2 and "is being written by another run" in other.stderr


def test_a_study_takes_its_own_folder_with_or_without_what_identifies(tmp_path):
    check_own(tmp_path / "new")
    check_own(tmp_path)  # empty
    (tmp_path / "linkage.json").write_text("{}")
    check_own(tmp_path)
    (tmp_path / "linkage.json").rename(tmp_path / "mine.json")
    with pytest.raises(WrongUse, match="holds something already"):
        check_own(tmp_path)
    (tmp_path / "identifying").mkdir()
    check_own(tmp_path)


def test_a_table_shows_markup_as_text():
    assert "&lt;b&gt;" in table(("name",), [("<b>",)], words=1)


def test_a_network_learns_whose_mask_it_is():
    pytest.importorskip("torch", reason="the network needs torch: pip install 'dmask[train]'")
    from dmask.evaluate.linkage.network import Network

    random = np.random.default_rng(0)
    who = random.normal(size=(600, 5))
    numbers = who @ random.normal(size=(5, 8)) + 0.3 * random.normal(size=(600, 8))
    faces = who @ random.normal(size=(5, 16))
    masks = random.integers(0, 256, (600, 64, 64)).astype(np.uint8)  # tell nothing
    net = Network(masks[:500], numbers[:500], faces[:500])
    found = net.released(masks[500:], numbers[500:]) @ net.faces(faces[500:]).T
    assert scores.auc(found) > 0.85
    again = Network(masks[:500], numbers[:500], faces[:500])
    assert np.allclose(again.faces(faces[500:]), net.faces(faces[500:]), atol=1e-5)
