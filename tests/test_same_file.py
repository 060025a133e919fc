"""An output that is an input is refused by every command, by whatever name, before anything is touched."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import pytest
from conftest import background, write_video

from dmask import cli
from dmask.commands import places
from dmask.commands.parser import CommandParser
from dmask.errors import WrongUse
from dmask.io.same_file import refuse_inputs
from dmask.ranges import place


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_refused(capsys, folder, *arguments):
    before = snapshot(folder)
    assert cli.main([str(word) for word in arguments]) == 2
    said = capsys.readouterr().err
    assert said.startswith("dmask: got ") and "expected" in said and said.count("\n") == 1
    assert snapshot(folder) == before


@pytest.fixture
def video(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    return write_video(folder / "me.mkv", [background()] * 3)


SPELLINGS = {
    "itself": lambda video: video,
    "relative": lambda video: Path(os.path.relpath(video)),
    "dots": lambda video: video.parent / ".." / video.parent.name / video.name,
}


def symbolic(video):
    link = video.parent.parent / "symbolic.mkv"
    link.symlink_to(video)
    return link


def hard(video):
    link = video.parent.parent / "hard.mkv"
    os.link(video, link)
    return link


@pytest.mark.parametrize("spelt", [*SPELLINGS.values(), symbolic, hard])
def test_detect_does_not_write_over_its_input(tmp_path, capsys, video, spelt):
    assert_refused(capsys, tmp_path, "detect", video, "-o", spelt(video), "--overwrite")


def test_detect_does_not_write_over_a_file_of_its_input_folder(tmp_path, capsys, video):
    assert_refused(capsys, tmp_path, "detect", video.parent, "-o", video, "--overwrite")


def test_render_does_not_write_over_its_track(tmp_path, capsys):
    track = tmp_path / "track.mp4"
    track.write_bytes(b"any")
    assert_refused(capsys, tmp_path, "render", track, "-o", track, "--overwrite")


def test_run_refuses_a_folder_that_holds_its_input(tmp_path, capsys, video):
    assert_refused(capsys, tmp_path, "run", video, "-o", video.parent, "--overwrite")
    assert_refused(capsys, tmp_path, "run", video.parent, "-o", video.parent, "--overwrite")
    assert_refused(capsys, tmp_path, "run", video.parent, "-o", tmp_path, "--overwrite")
    link = tmp_path / "link"
    link.symlink_to(video.parent)
    assert_refused(capsys, tmp_path, "run", video, "-o", link, "--overwrite")


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_run_refuses_results_that_are_links_to_its_input(tmp_path, capsys, video, link):
    for out, source in ((tmp_path / "single", video), (tmp_path / "many" / "me", video.parent)):
        out.mkdir(parents=True)
        link(video, out / "mask.mp4")
        place = out if source is video else out.parent
        assert_refused(capsys, tmp_path, "run", source, "-o", place, "--overwrite")


def test_an_item_s_folder_may_not_be_the_input_folder(tmp_path, capsys, video):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "me").symlink_to(video.parent)
    assert_refused(capsys, tmp_path, "run", video.parent, "-o", tmp_path / "out", "--overwrite")


@pytest.mark.parametrize(
    "command",
    [
        ["bench", "--video", "{me}", "--json", "{me}"],
        ["eval", "stability", "{me}", "--json", "{me}"],
        ["eval", "stability", "{folder}", "--json", "{me}"],
        ["eval", "residual", "{folder}", "--json", "{me}"],
        ["eval", "landmarks", "{folder}", "--plot", "{me}"],
        ["eval", "landmarks", "{folder}", "--labels", "{me}", "--sheet", "{me}"],
        ["engines", "build", "--models", "{folder}", "--json", "{me}"],
        ["train", "validate", "--models", "{folder}", "--json", "{me}"],
        ["train", "render-faces", "--ict", "{folder}", "--count", "1", "-o", "{me}"],
        ["train", "face", "--finetune", "{folder}", "-o", "{folder}"],
        ["face-model", "build", "--ict", "{folder}", "-o", "{folder}"],
        ["face-model", "report", "--ict", "{folder}", "--card", "{me}"],
    ],
)
def test_no_command_writes_over_what_it_reads(tmp_path, capsys, video, command):
    words = [word.format(me=video, folder=video.parent) for word in command]
    assert_refused(capsys, tmp_path, *words)


def test_a_folder_where_a_report_belongs_is_refused_before_the_work(tmp_path, capsys):
    assert cli.main(["bench", "--json", str(tmp_path)]) == 2
    assert "expected the name of a file" in capsys.readouterr().err


def test_the_case_of_a_name_does_not_matter_where_the_file_system_says_so(tmp_path, monkeypatch):
    """Files are compared by what they are: a name that the system takes for another's is that other's."""
    (tmp_path / "Me.mkv").write_text("a patient")
    real = os.stat

    def folding(path, *more, **options):
        return real(str(path).replace("ME.MKV", "Me.mkv"), *more, **options)

    monkeypatch.setattr(os, "stat", folding)
    with pytest.raises(WrongUse, match="which is the input"):
        refuse_inputs([tmp_path / "ME.MKV"], [tmp_path / "Me.mkv"])


def test_places_beside_an_input_are_taken(tmp_path, video):
    refuse_inputs([tmp_path / "out.csv", tmp_path / "out", video.parent / "new.csv"], [video, video.parent])


def test_every_argument_is_known_as_read_written_or_neither(monkeypatch):
    """A command that is added later says which of its arguments are places, or fails here.

    No other command may have a choice or a number by the name of a place: "eyes" is no folder.
    """
    known = {*places.READ, *places.WRITTEN, *places.NEITHER}
    unknown: set[str] = set()
    clashing: set[str] = set()

    def walk(parser: argparse.ArgumentParser) -> None:
        if isinstance(parser, CommandParser) and parser._prepare is not None:
            prepare, parser._prepare = parser._prepare, None
            try:
                prepare(parser)
            except ModuleNotFoundError:  # needs an extra
                return
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for part in action.choices.values():
                    walk(part)
            elif action.nargs != 0 and not action.choices and action.type in (None, str, Path, place):
                unknown.update({action.dest} - known)
            elif action.nargs != 0 and action.dest in (*places.READ, *places.WRITTEN):
                clashing.add(action.dest)

    class Walked(BaseException):
        pass

    def parse_args(parser, *more):
        walk(parser)
        raise Walked

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_args)
    with pytest.raises(Walked):
        cli.main([])
    assert unknown == set()
    assert clashing == set()


def test_a_folder_called_as_a_choice_is_no_place(tmp_path, monkeypatch, capsys):
    (tmp_path / "eyes").mkdir()
    monkeypatch.chdir(tmp_path)
    assert cli.main(["run", "nothing.mp4", "-o", "out"]) == 2
    assert "nothing.mp4" in capsys.readouterr().err


def test_a_report_is_written_whole_or_not_at_all(tmp_path):
    from dmask.io.report import write_report

    write_report(tmp_path / "a.json", {"a": 1})
    before = (tmp_path / "a.json").read_bytes()
    with pytest.raises(TypeError):
        write_report(tmp_path / "a.json", {"a": object()})
    assert (tmp_path / "a.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_an_empty_input_is_not_the_current_folder(tmp_path, capsys):
    assert cli.main(["run", "", "-o", str(tmp_path / "out")]) == 2
    assert "is a variable unset?" in capsys.readouterr().err
    assert cli.main(["render", "", "-o", str(tmp_path / "out.mp4")]) == 2
    assert "is a variable unset?" in capsys.readouterr().err


def test_a_key_does_not_lie_among_the_results(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    secret = tmp_path / "out" / "batch.csv"
    words = ["--anonymous-ids", "--id-secret", str(secret)]
    assert cli.main(["run", str(tmp_path / "in"), "-o", str(tmp_path / "out"), *words]) == 2
    assert "another place" in capsys.readouterr().err and not secret.exists()


def test_no_input_goes_as_what_a_killed_run_has_left(tmp_path):
    video = write_video(tmp_path / "a.mp4", [background()] * 2).rename(tmp_path / "out.partial-99998")
    assert cli.main(["run", str(video), "-o", str(tmp_path / "out")]) == 1  # no face
    assert video.is_file()


@pytest.mark.parametrize("name", ["x" * 300 + ".json", "a_file/figures.json"], ids=["too long", "in a file"])
def test_an_output_that_cannot_be_made_is_told_before_the_work(tmp_path, capsys, name):
    (tmp_path / "a_file").write_text("")
    (tmp_path / "pictures").mkdir()
    assert_refused(capsys, tmp_path, "eval", "closeups", tmp_path / "pictures", "--json", tmp_path / name)


def test_a_contact_sheet_does_not_become_a_picture_of_its_input(tmp_path, capsys):
    masks = tmp_path / "set/masks"
    masks.mkdir(parents=True)
    assert_refused(capsys, tmp_path, "eval", "closeups", tmp_path / "set", "--sheet", masks / "sheet.png")
