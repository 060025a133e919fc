"""Videos and pictures in and out: times, orientation, sizes, and nothing besides the pixels."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from conftest import background, with_exif, write_video

from dmask.errors import Error
from dmask.io.atomic import atomic_file, atomic_folder
from dmask.io.picture import read_picture
from dmask.io.picture_header import hfov_deg_of
from dmask.io.source import list_folder
from dmask.io.video import VideoReader, VideoWriter, to_bgr, without_opencv_threads

CORNER_BGR = (20, 30, 220)
TRANSPORT_TICKS = [900000 + 3000 * number for number in range(30)]


def marked(width=64, height=48):
    """A grey picture with a red upper left corner."""
    bgr = np.full((height, width, 3), 128, np.uint8)
    bgr[:16, :16] = CORNER_BGR
    return bgr


def is_marked(pixels):
    return np.abs(pixels.reshape(-1, 3).mean(axis=0) - CORNER_BGR).max() < 40


def times_of(path):
    with av.open(str(path)) as container:
        return [frame.time for frame in container.decode(video=0)]


def test_variable_frame_times_survive_the_round_trip(tmp_path):
    ticks = [0, 33, 71, 100, 180, 181, 240, 1000]
    video = write_video(tmp_path / "in.mp4", [marked()] * len(ticks), ticks, Fraction(1, 1000))
    reader = VideoReader(video)
    writer = VideoWriter(tmp_path / "out.mp4", reader.width, reader.height, reader.time_base, reader.rate)
    times_s = []
    for frame in reader:
        writer.write(frame.bgr, frame.time_s)
        times_s.append(frame.time_s)
    writer.close()
    assert times_s == pytest.approx([tick / 1000 for tick in ticks], abs=1e-9)
    assert times_of(tmp_path / "out.mp4") == pytest.approx(times_s, abs=1e-9)


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "ts"])
@pytest.mark.parametrize("start_s", [0.5, 3600, 86399.9])
def test_times_count_from_the_first_frame_whatever_the_source_s_clock_says(tmp_path, suffix, start_s):
    times_ms = [0, 33, 71, 100, 180, 181, 240, 1000]
    frames = [background(seed=number) for number in range(len(times_ms))]
    base = Fraction(1, 90000) if suffix == "ts" else Fraction(1, 1000)
    ticks = [round((start_s + 0.001 * time_ms) / base) for time_ms in times_ms]
    reader = VideoReader(write_video(tmp_path / f"in.{suffix}", frames, ticks, base))
    times_s = [frame.time_s for frame in reader]
    assert times_s[0] == 0
    assert times_s == pytest.approx([time_ms / 1000 for time_ms in times_ms], abs=1e-6)
    assert reader.notes == ["the source's clock does not start at 0: times count from the first frame"]


def test_sound_that_begins_before_or_after_the_pictures_moves_no_time(tmp_path):
    video = write_video(
        tmp_path / "in.mkv", [background(seed=i) for i in range(9)], range(90, 99), audio=True
    )
    reader = VideoReader(video)
    assert [frame.time_s for frame in reader] == pytest.approx(
        [round(i / 30, 3) for i in range(9)], abs=1.1e-3
    )


def test_a_transport_stream_counts_from_its_first_frame(tmp_path):
    video = write_video(
        tmp_path / "in.ts", [background(seed=i) for i in range(30)], TRANSPORT_TICKS, Fraction(1, 90000)
    )
    times_s = [frame.time_s for frame in VideoReader(video)]
    assert times_s[0] == 0
    assert np.diff(times_s) == pytest.approx([1 / 30] * 29)


def test_a_clock_that_jumps_back_goes_on(tmp_path):
    ticks = [*range(10), *range(10)]
    a, b = (write_video(tmp_path / f"{name}.ts", [background(seed=i) for i in range(10)]) for name in "ab")
    joined = tmp_path / "in.ts"
    joined.write_bytes(a.read_bytes() + b.read_bytes())
    reader = VideoReader(joined)
    times_s = [frame.time_s for frame in reader]
    assert len(times_s) == len(ticks)
    assert np.diff(times_s).min() > 0.02 and times_s[-1] == pytest.approx(19 / 30, abs=0.1)


@pytest.mark.parametrize(
    ("rotation_deg", "corner", "size"),
    [
        (0, (slice(2, 14), slice(2, 14)), (64, 48)),
        (90, (slice(-14, -2), slice(2, 14)), (48, 64)),  # counter-clockwise: to the lower left
        (180, (slice(-14, -2), slice(-14, -2)), (64, 48)),
        (270, (slice(2, 14), slice(-14, -2)), (48, 64)),
    ],
)
def test_the_rotation_tag_is_honoured(tmp_path, rotation_deg, corner, size):
    video = write_video(tmp_path / "in.mp4", [marked()] * 2, rotation_deg=rotation_deg)
    reader = VideoReader(video)
    assert (reader.width, reader.height) == size
    for frame in reader:
        assert is_marked(frame.bgr[corner])


def test_an_odd_size_is_padded_by_a_row_and_a_column(tmp_path):
    writer = VideoWriter(tmp_path / "out.mp4", 65, 47, Fraction(1, 30), Fraction(30))
    writer.write(marked(65, 47), 0.0)
    writer.close()
    assert writer.padded == (1, 1)
    with av.open(str(tmp_path / "out.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, stream.codec_context.pix_fmt) == (66, 48, "yuv420p")
        assert stream.codec_context.name == "h264"


def test_the_written_video_has_no_audio_and_no_metadata(tmp_path):
    secret = {"title": "secret-name", "creation_time": "2020-02-02T02:02:02Z", "location": "+52.5+013.4/"}
    video = write_video(tmp_path / "in.mp4", [marked()] * 5, audio=True, metadata=secret)
    reader = VideoReader(video)
    out = tmp_path / "out.mp4"
    writer = VideoWriter(out, reader.width, reader.height, reader.time_base, reader.rate)
    for frame in reader:
        writer.write(frame.bgr, frame.time_s)
    writer.close()
    with av.open(str(out)) as container:
        assert [stream.type for stream in container.streams] == ["video"]
        assert set(container.metadata) <= {"major_brand", "minor_version", "compatible_brands"}
    content = out.read_bytes()
    assert b"secret-name" not in content and b"2020" not in content and b"+52.5" not in content


@pytest.mark.parametrize("height", [45, 46, 47, 48, 50, 270])
def test_colours_stay_where_they_are_at_any_height(tmp_path, height):
    written = marked(width=480, height=height)
    writer = VideoWriter(tmp_path / "out.mp4", 480, height, Fraction(1, 30), Fraction(30))
    writer.write(written, 0.0)
    writer.close()
    frame = next(iter(VideoReader(tmp_path / "out.mp4"))).bgr[:height].astype(int)
    for place in (np.s_[2:13, 2:13], np.s_[20:, :], np.s_[:, 20:]):
        assert np.abs(frame[place] - written[place]).max() < 12


def test_writing_twice_gives_the_same_bytes(tmp_path):
    for name in ("a.mp4", "b.mp4"):
        writer = VideoWriter(tmp_path / name, 64, 48, Fraction(1, 30), Fraction(30))
        for number in range(4):
            writer.write(background(64, 48, number), number / 30)
        writer.close()
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_what_is_drawn_is_kept_and_even_its_faintest_motion(tmp_path):
    def lids(shift_px):
        """A shaded dome on a flat ground, and on it an edge that moves by parts of a pixel."""
        y, x = np.mgrid[:128, :128].astype(np.float32)
        dome = np.clip(1 - np.hypot(x - 64, y - 64) / 50, 0, 1)
        edge = np.clip(y - 60 - shift_px, 0, 1) * (dome > 0.3)
        return np.stack([128 + 60 * dome - 40 * edge] * 3, axis=2).round().astype(np.uint8)

    drawn = [lids(0.05 * number) for number in range(12)]
    writer = VideoWriter(tmp_path / "out.mp4", 128, 128, Fraction(1, 30), Fraction(30))
    for number, bgr in enumerate(drawn):
        writer.write(bgr, number / 30)
    writer.close()
    kept = [frame.bgr for frame in VideoReader(tmp_path / "out.mp4")]
    assert len(kept) == len(drawn)
    for before, after in zip(drawn, kept, strict=True):
        assert np.sqrt(np.mean((before.astype(float) - after) ** 2)) < 1.0
    rows = [bgr[58:63, 55:73].mean() for bgr in kept]
    wanted = [bgr[58:63, 55:73].mean() for bgr in drawn]
    assert np.corrcoef(rows, wanted)[0, 1] > 0.95


def test_opencv_keeps_the_caller_s_number_of_threads():
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(3)
        with without_opencv_threads():
            assert cv2.getNumThreads() == 1
        assert cv2.getNumThreads() == 3
    finally:
        cv2.setNumThreads(before)


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_field_of_view_is_that_of_the_focal_length_across_the_diagonal(order):
    jpeg = cv2.imencode(".jpg", np.zeros((400, 600, 3), np.uint8))[1].tobytes()
    told = with_exif(jpeg, focal_mm=18, taken=(6000, 4000), order=order)
    assert hfov_deg_of(told, 600, 400) == 90
    assert hfov_deg_of(told, 400, 600) == 67  # held upright
    assert hfov_deg_of(with_exif(jpeg, focal_mm=50, taken=None, order=order), 600, 400) == 40


def test_no_field_of_view_where_nothing_says_it_or_the_picture_was_cropped():
    jpeg = cv2.imencode(".jpg", np.zeros((400, 600, 3), np.uint8))[1].tobytes()
    assert hfov_deg_of(jpeg, 600, 400) is None
    assert hfov_deg_of(with_exif(jpeg, focal_mm=0, taken=None), 600, 400) is None
    assert hfov_deg_of(with_exif(jpeg, focal_mm=50, taken=(4000, 4000)), 600, 400) is None
    told = with_exif(jpeg, focal_mm=50, taken=(600, 400))
    for end in range(0, 120, 3):  # damaged anywhere
        assert hfov_deg_of(told[:end], 600, 400) in (None, 40)


def test_a_picture_is_turned_as_its_exif_tag_says(tmp_path):
    done, jpeg = cv2.imencode(".jpg", marked())
    assert done
    # APP1 "Exif", little endian TIFF, one entry: 0x0112 orientation = 6 (turn clockwise to see it upright).
    tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    app1 = b"Exif\0\0" + tiff
    segment = b"\xff\xe1" + (len(app1) + 2).to_bytes(2, "big") + app1
    data = jpeg.tobytes()
    (tmp_path / "in.jpg").write_bytes(data[:2] + segment + data[2:])
    upright = read_picture(tmp_path / "in.jpg")
    assert upright.shape == (64, 48, 3)
    assert is_marked(upright[2:14, -14:-2])


@pytest.mark.parametrize("channels", [1, 4])
def test_grey_and_rgba_pictures_become_bgr(tmp_path, channels):
    picture = np.full((20, 30) if channels == 1 else (20, 30, 4), 77, np.uint8)
    cv2.imwrite(str(tmp_path / "in.png"), picture)
    bgr = read_picture(tmp_path / "in.png")
    assert bgr.shape == (20, 30, 3) and bgr.dtype == np.uint8
    assert (bgr == 77).all()


def test_non_square_pixels_are_made_square_and_said(tmp_path):
    path = tmp_path / "in.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(3, 2)
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(marked(), format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, 30)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    reader = VideoReader(path)
    assert (reader.width, reader.height) == (96, 48)
    assert "3:2" in reader.notes[0]


def test_an_atomic_folder_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), atomic_folder(tmp_path / "out", overwrite=False) as partial:
        (partial / "half.csv").write_text("half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_dead_runs_are_removed_and_those_of_living_ones_kept(tmp_path):
    (tmp_path / ".out.dmask-partial-999999999").mkdir()
    (tmp_path / ".out.dmask-partial-1").mkdir()
    with atomic_folder(tmp_path / "out", overwrite=False) as partial:
        (partial / "a").write_text("a")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.dmask-partial-1", "out"]


def test_overwriting_replaces_own_files_and_keeps_others(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "frames.csv").write_text("old")
    (out / "notes.txt").write_text("mine")
    with atomic_folder(out, overwrite=True) as partial:
        (partial / "frames.csv").write_text("new")
    assert (out / "frames.csv").read_text() == "new"
    assert (out / "notes.txt").read_text() == "mine"


def test_an_atomic_file_does_not_replace_without_overwrite(tmp_path):
    (tmp_path / "a.csv").write_text("old")
    with pytest.raises(Error, match="--overwrite"), atomic_file(tmp_path / "a.csv", overwrite=False):
        pass
    assert (tmp_path / "a.csv").read_text() == "old"


def test_items_of_a_folder_are_named_by_stem(tmp_path):
    for name in ("b.mp4", "a.png", "b.jpg", ".hidden"):
        (tmp_path / name).touch()
    assert [name for name, _ in list_folder(tmp_path)] == ["a", "b.jpg", "b.mp4"]


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuvj420p", "yuv444p"])
def test_colours_come_out_as_they_went_in(pixel_format):
    ramp = np.linspace(20, 235, 64 * 64 * 3).reshape(64, 64, 3).round().astype(np.uint8)
    frame = av.VideoFrame.from_ndarray(ramp, format="bgr24").reformat(format=pixel_format)
    difference = to_bgr(frame).astype(int) - ramp
    assert difference.shape == ramp.shape
    assert np.abs(difference).mean() < 2 and np.abs(difference.mean(axis=(0, 1))).max() < 3


def test_usual_frames_are_not_darkened():
    ramp = np.linspace(20, 235, 64 * 64 * 3).reshape(64, 64, 3).round().astype(np.uint8)
    frame = av.VideoFrame.from_ndarray(cv2.cvtColor(ramp, cv2.COLOR_BGR2YUV_I420), format="yuv420p")
    assert np.abs((to_bgr(frame).astype(int) - ramp).mean(axis=(0, 1))).max() < 0.5
