"""`--legend`: a mask says what it is below its picture, and nowhere else."""

import json

import cv2
import numpy as np
import pytest

from dmask import _core, cli
from dmask.errors import Error
from dmask.io import legend
from dmask.io.picture import read_picture
from dmask.io.video import VideoReader


def run(arguments):
    return cli.main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def picture(tmp_path_factory, patient_frames):
    path = tmp_path_factory.mktemp("portrait") / "portrait.png"
    cv2.imwrite(str(path), patient_frames[0])
    return path


@pytest.mark.parametrize("profile", ["clinical", "article", "strict"])
def test_a_picture_is_the_mask_with_a_legend_below_it(tmp_path, picture, profile):
    plain, told = tmp_path / "plain", tmp_path / "told"
    assert run(["run", picture, "-o", plain, "--profile", profile]) == 0
    assert run(["run", picture, "-o", told, "--profile", profile, "--legend"]) == 0
    mask, with_legend = read_picture(plain / "mask.png"), read_picture(told / "mask.png")
    height, rows = len(mask), json.loads((told / "run.json").read_text())["mask"]["legend_rows"]
    assert with_legend.shape == (height + rows, mask.shape[1], 3) and 10 < rows < height // 4
    assert np.array_equal(with_legend[:height], mask)
    assert with_legend[height:].min() < 120 and np.median(with_legend[height:]) == 236
    for name in ("track.dmask", "frames.csv", "summary.json"):
        assert (plain / name).read_bytes() == (told / name).read_bytes()
    assert "legend_rows" not in json.loads((plain / "run.json").read_text())["mask"]


def test_a_video_has_it_below_every_frame_and_render_draws_the_same(tmp_path, patient_video):
    out, again = tmp_path / "out", tmp_path / "again.mp4"
    assert run(["run", patient_video, "-o", out, "--legend"]) == 0
    rows = json.loads((out / "run.json").read_text())["mask"]["legend_rows"]
    frames = [frame.bgr for frame in VideoReader(out / "mask.mp4")]
    assert len(frames) == 24 and all(frame.shape == (420 + rows, 420, 3) for frame in frames)
    assert all(frame[420:].min() < 120 for frame in frames)
    assert run(["render", out / "track.dmask", "-o", again, "--legend"]) == 0
    assert again.read_bytes() == (out / "mask.mp4").read_bytes()


def test_resume_makes_masks_again_that_had_no_legend(tmp_path, picture, capsys):
    arguments = ["run", picture.parent, "-o", tmp_path / "out", "--resume"]
    for more, kept in ((["--legend"], False), (["--legend"], True), ([], False), ([], True)):
        assert run([*arguments, *more]) == 0
        assert ("kept as it was" in (tmp_path / "out" / "batch.csv").read_text()) == kept
    capsys.readouterr()


def test_it_says_version_profile_and_what_grey_means():
    said = " ".join(legend.statements("clinical"))
    for words in (
        _core.__version__,
        "clinical",
        "the patient's lid heights",
        "grey = not measured",
        "research use only",
    ):
        assert words in said
    assert set(legend.SHOWN) == {"clinical", "article", "strict"}


@pytest.mark.parametrize("width", [96, 320, 641, 1920, 3840])
@pytest.mark.parametrize("profile", ["clinical", "article", "strict"])
def test_every_word_fits_and_letters_are_large_enough_to_read(width, profile):
    drawn = legend.Legend(profile, width)
    strip = drawn.under(np.zeros((8, width, 3), np.uint8))[8:]
    inked = (strip.min(axis=2) < 200).any(axis=0)
    assert strip.shape == (drawn.rows, width, 3) and drawn.rows % 2 == 0
    assert inked.any() and not inked[:2].any() and not inked[-2:].any()
    lines = (strip.min(axis=2) < 200).any(axis=1).astype(int)
    assert (np.diff(lines) == 1).sum() >= (3 if width == 96 else 1)
    tallest = max(len(run) for run in "".join(map(str, lines)).split("0"))
    assert tallest >= max(8, width // 150)


def test_a_picture_too_narrow_for_a_word_is_refused_in_a_sentence():
    with pytest.raises(Error, match="64 px wide, expected at least 96"):
        legend.Legend("clinical", 64)
