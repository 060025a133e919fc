"""Bad input: a clear sentence, the right exit code, and nothing half-written."""

import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
import zlib
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from conftest import background, take_interrupts, write_video

from dmask import cli


def run(capsys, source, out, *more):
    """Exit code and the sentence on stderr of `dmask run`."""
    code = cli.main(["run", str(source), "-o", str(out), *more])
    return code, capsys.readouterr().err


def assert_nothing_written(folder, *besides):
    assert sorted(path.name for path in folder.iterdir()) == sorted(besides)


def assert_sentence(text):
    assert text.startswith("dmask: ") and text.count("\n") == 1 and "Traceback" not in text


def test_no_file(tmp_path, capsys):
    code, said = run(capsys, tmp_path / "none.mp4", tmp_path / "out")
    assert code == 2 and "does not exist" in said
    assert_sentence(said)
    assert_nothing_written(tmp_path)


@pytest.mark.parametrize("name", ["notes.txt", "notes.mp4", "notes.png"])
def test_not_a_video(tmp_path, capsys, name):
    (tmp_path / name).write_text("Patient seen at nine.\n" * 40)
    code, said = run(capsys, tmp_path / name, tmp_path / "out")
    assert code == 1 and "expected" in said
    assert_sentence(said)
    assert_nothing_written(tmp_path, name)


def test_empty_file(tmp_path, capsys):
    (tmp_path / "in.mp4").touch()
    code, said = run(capsys, tmp_path / "in.mp4", tmp_path / "out")
    assert code == 1 and "empty" in said
    assert_nothing_written(tmp_path, "in.mp4")


def test_sound_only(tmp_path, capsys):
    with av.open(str(tmp_path / "in.m4a"), "w") as container:
        stream = container.add_stream("aac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    code, said = run(capsys, tmp_path / "in.m4a", tmp_path / "out")
    assert code == 1 and "audio only" in said
    assert_nothing_written(tmp_path, "in.m4a")


def header_only(path):
    """A Matroska file up to its first cluster."""
    data = write_video(path, [background()]).read_bytes()
    path.write_bytes(data[: data.index(b"\x1f\x43\xb6\x75")])


def empty_fragmented(path):
    """An MP4 whose track is declared, and has no samples."""
    with av.open(str(path), "w", options={"movflags": "frag_keyframe+empty_moov"}) as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        container.start_encoding()


@pytest.mark.parametrize(("make", "name"), [(header_only, "in.mkv"), (empty_fragmented, "in.mp4")])
def test_zero_frames(tmp_path, capsys, make, name):
    make(tmp_path / name)
    code, said = run(capsys, tmp_path / name, tmp_path / "out")
    assert code == 1 and "no frames" in said
    assert_nothing_written(tmp_path, name)


@pytest.mark.parametrize(("suffix", "faststart"), [("mp4", True), ("mp4", False), ("mkv", False)])
def test_truncated_video(tmp_path, capsys, suffix, faststart):
    noise = [np.random.default_rng(i).integers(0, 255, (64, 64, 3), dtype=np.uint8) for i in range(60)]
    video = write_video(tmp_path / f"in.{suffix}", noise, faststart=faststart)
    video.write_bytes(video.read_bytes()[: video.stat().st_size // 2])
    code, said = run(capsys, video, tmp_path / "out")
    assert code == 1 and "complete" in said
    assert_sentence(said)
    assert_nothing_written(tmp_path, video.name)


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_truncated_picture(tmp_path, capsys, suffix):
    picture = tmp_path / f"in.{suffix}"
    cv2.imwrite(str(picture), np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8))
    picture.write_bytes(picture.read_bytes()[:9000])
    code, said = run(capsys, picture, tmp_path / "out")
    assert code == 1 and "copy it again" in said
    assert_nothing_written(tmp_path, picture.name)


def test_no_face_at_all_exits_1_with_its_files_there(tmp_path, capsys):
    video = write_video(tmp_path / "in.mp4", [background()] * 5)
    code, said = run(capsys, video, tmp_path / "out")
    assert code == 1 and "no face, and no eye, was found in any of 5 frames" in said
    rows = (tmp_path / "out" / "frames.csv").read_text().splitlines()[1:]
    assert len(rows) == 5
    assert all(row.split(",")[2:4] == ["0", "no_face"] for row in rows)
    masks = cv2.VideoCapture(str(tmp_path / "out" / "mask.mp4"))
    done, mask = masks.read()
    assert done and np.ptp(mask) <= 2  # plain grey


def test_face_in_some_frames_only(tmp_path, capsys, patient_frames):
    height, width = patient_frames[0].shape[:2]
    frames = [*patient_frames[:10], *[background(width, height)] * 20, *patient_frames[10:20]]
    code, _ = run(capsys, write_video(tmp_path / "in.mp4", frames), tmp_path / "out")
    assert code == 0
    rows = [row.split(",") for row in (tmp_path / "out" / "frames.csv").read_text().splitlines()[1:]]
    assert [row[0] for row in rows] == [str(number) for number in range(40)]
    valid = [row[2] for row in rows]
    assert valid[2] == "1" and valid[20] == "0"
    assert set(rows[20][4:10]) == {""}  # no head pose where there is no face
    assert rows[20][3] == "no_face"


def test_16x16_is_a_picture_without_a_face(tmp_path, capsys):
    cv2.imwrite(str(tmp_path / "in.png"), np.full((16, 16, 3), 120, np.uint8))
    code, said = run(capsys, tmp_path / "in.png", tmp_path / "out")
    assert code == 1 and "no face" in said and "pixels wide" in said
    assert cv2.imread(str(tmp_path / "out" / "mask.png")).shape == (16, 16, 3)


def test_8k_frames(tmp_path, capsys, patient_frames):
    large = cv2.resize(patient_frames[0], (4320, 4320), interpolation=cv2.INTER_LINEAR)
    frame = np.full((4320, 7680, 3), 90, np.uint8)
    frame[:, 1680:6000] = large
    code, _ = run(capsys, write_video(tmp_path / "in.mp4", [frame] * 2), tmp_path / "out")
    assert code == 0
    done, mask = cv2.VideoCapture(str(tmp_path / "out" / "mask.mp4")).read()
    assert done and mask.shape == (4320, 7680, 3)


@pytest.mark.parametrize("kind", ["grey", "rgba"])
def test_grey_and_rgba_pictures(tmp_path, capsys, patient_frames, kind):
    code = cv2.COLOR_BGR2GRAY if kind == "grey" else cv2.COLOR_BGR2BGRA
    cv2.imwrite(str(tmp_path / "in.png"), cv2.cvtColor(patient_frames[0], code))
    code, _ = run(capsys, tmp_path / "in.png", tmp_path / "out")
    assert code == 0
    assert (tmp_path / "out" / "mask.png").exists()


def test_two_faces_give_one_mask(tmp_path, capsys, patient_frames):
    small = cv2.resize(patient_frames[0], None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    large = patient_frames[0]
    frame = np.full((large.shape[0], large.shape[1] + small.shape[1], 3), large[0, 0], np.uint8)
    frame[:, : large.shape[1]] = large
    frame[: small.shape[0], large.shape[1] :] = small
    code, _ = run(capsys, write_video(tmp_path / "in.mp4", [frame] * 12), tmp_path / "out")
    assert code == 0
    rows = [row.split(",") for row in (tmp_path / "out" / "frames.csv").read_text().splitlines()[1:]]
    assert len(rows) == 12 and all(row[2] == "1" for row in rows)


def test_unwritable_output(tmp_path, capsys, patient_video):
    (tmp_path / "file").write_text("not a folder")
    code, said = run(capsys, patient_video, tmp_path / "file" / "out")
    assert code == 1 and "cannot write" in said
    assert_sentence(said)
    assert_nothing_written(tmp_path, "file")


def test_results_of_one_recording_do_not_lie_among_those_of_several(tmp_path, capsys, patient_video):
    (tmp_path / "out" / "Somebody").mkdir(parents=True)
    (tmp_path / "out" / "batch.csv").write_text("kept")
    assert cli.main(["run", str(patient_video), "-o", str(tmp_path / "out"), "--overwrite"]) == 2
    assert "holds the results of several recordings" in capsys.readouterr().err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["Somebody", "batch.csv"]
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "frames.csv").write_text("kept")
    (tmp_path / "in").mkdir()
    shutil.copy(patient_video, tmp_path / "in")
    for several in ([str(tmp_path / "in")], [str(patient_video), "--person", "all"]):
        assert cli.main(["run", *several, "-o", str(tmp_path / "one"), "--overwrite"]) == 2
        assert "holds the results of one recording" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["frames.csv"]


def test_existing_output_needs_overwrite(tmp_path, capsys, patient_video):
    out = tmp_path / "out"
    out.mkdir()
    (out / "frames.csv").write_text("old")
    code, said = run(capsys, patient_video, out)
    assert code == 2 and "--overwrite" in said
    assert (out / "frames.csv").read_text() == "old"
    code, _ = run(capsys, patient_video, out, "--overwrite")
    assert code == 0
    assert (out / "frames.csv").read_text().startswith("frame,time_s")


def test_a_file_in_place_of_the_output_folder(tmp_path, capsys, patient_video):
    (tmp_path / "out").write_text("mine")
    code, said = run(capsys, patient_video, tmp_path / "out", "--overwrite")
    assert code == 2 and "expected a folder" in said
    assert (tmp_path / "out").read_text() == "mine"


def test_a_camera_number_gets_a_sentence(tmp_path, capsys):
    code, said = run(capsys, "0", tmp_path / "out")
    assert code == 1 and "camera 0 cannot be opened" in said and "WARN" not in said
    assert cli.main(["detect", "0", "-o", str(tmp_path / "out.csv")]) == 2
    assert "only `dmask run` reads cameras" in capsys.readouterr().err


def test_an_empty_folder(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    code, said = run(capsys, tmp_path / "in", tmp_path / "out")
    assert code == 1 and "holds no files" in said
    assert_nothing_written(tmp_path, "in")


def test_a_frame_size_that_changes_is_refused(tmp_path, capsys):
    a = write_video(tmp_path / "a.ts", [background(160, 120, i) for i in range(30)])
    b = write_video(tmp_path / "b.ts", [background(320, 240, i) for i in range(30)])
    joined = tmp_path / "in.ts"
    joined.write_bytes(a.read_bytes() + b.read_bytes())
    code, said = run(capsys, joined, tmp_path / "out")
    assert code == 1 and "320x240" in said and "160x120" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--fixating", "od"], "--at"),
        (["--at", "1-2"], "--fixating"),
        (["--fixating", "od", "--at", "2-1"], "earlier first"),
        (["--hfov-deg", "0"], "5 to 150"),
        (["--hvid-mm", "120"], "8 to 16"),
        (["--hvid-mm", "nan"], "8 to 16"),
        (["--threads", "-1"], "0 to 256"),
        (["--profile", "open"], "invalid choice"),
    ],
)
def test_wrong_options(tmp_path, capsys, patient_video, arguments, expected):
    code, said = run(capsys, patient_video, tmp_path / "out", *arguments)
    assert code == 2 and expected in said
    assert_nothing_written(tmp_path)


def test_a_fixation_time_outside_the_recording(tmp_path, capsys, patient_video):
    code, said = run(capsys, patient_video, tmp_path / "out", "--fixating", "os", "--at", "60-70")
    assert code == 1 and "holds no frame" in said
    assert_nothing_written(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_removes_what_was_half_done(tmp_path, patient_frames, number):
    video = write_video(tmp_path / "in.mp4", patient_frames * 60)
    command = [sys.executable, "-m", "dmask", "run", str(video), "-o", str(tmp_path / "out")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=take_interrupts)
    while process.poll() is None and not any(tmp_path.glob(".out.dmask-partial-*/frames.csv")):
        time.sleep(0.01)
    process.send_signal(number)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130 and "interrupted" in said
    assert_nothing_written(tmp_path, "in.mp4")


def test_a_damaged_track_is_refused(tmp_path, capsys):
    (tmp_path / "track.dmask").write_bytes(b"DMASKARR\1\0\0\0\5\0\0\0")
    code = cli.main(["render", str(tmp_path / "track.dmask"), "-o", str(tmp_path / "mask.mp4")])
    assert code == 1 and "is not a whole track" in capsys.readouterr().err
    assert_nothing_written(tmp_path, "track.dmask")


# ---- Pictures that are called what they are.


def refused_picture(tmp_path, capsys, path):
    code, said = run(capsys, path, tmp_path / "out")
    assert code == 1
    assert_sentence(said)
    assert_nothing_written(tmp_path, path.name)
    return said


@pytest.mark.parametrize("number", [np.float32, np.float64, np.uint32])
def test_a_tiff_of_other_numbers_is_called_so(tmp_path, capfd, number):
    ramp = np.linspace(0, 1, 64 * 64 * 3).reshape(64, 64, 3)
    path = tmp_path / "in.tif"
    if number is np.uint32:
        cv2.imwrite(str(path), ramp.astype(np.float32))
        data = bytearray(path.read_bytes())
        at = data.index(
            b"\x53\x01\x03\x00"
        )  # the tag SampleFormat, one value: 3 (floating point) to 1 (whole)
        count = int.from_bytes(data[at + 4 : at + 8], "little")
        where = at + 8 if count < 3 else int.from_bytes(data[at + 8 : at + 12], "little")
        for k in range(count):
            data[where + 2 * k] = 1
        path.write_bytes(data)
    else:
        cv2.imwrite(str(path), ramp.astype(number))
    said = refused_picture(tmp_path, capfd, path)
    assert "TIFF of" in said and "convert it" in said and "damaged" not in said


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bits_are_cut_to_8_and_said(tmp_path, capsys, patient_frames, suffix):
    cv2.imwrite(str(tmp_path / f"in.{suffix}"), patient_frames[0].astype(np.uint16) * 257)
    code, _ = run(capsys, tmp_path / f"in.{suffix}", tmp_path / "out")
    assert code == 0
    report = json.loads((tmp_path / "out" / "run.json").read_text())
    assert report["input"]["notes"] == ["16 bits a channel were cut to the upper 8"]


def png_header(width, height):
    """A whole PNG, whose pixels are not worth their size."""

    def chunk(kind, content):
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    )


def jpeg_header(width, height):
    data = bytearray(cv2.imencode(".jpg", background())[1].tobytes())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def bmp_header(width, height):
    return b"BM" + struct.pack("<IIIIiiHHIIIIII", 54, 0, 54, 40, width, height, 1, 24, 1, 0, 0, 0, 0, 0)


def pnm_header(width, height):
    return f"P6\n# made\n{width} {height}\n255\n".encode()


def tiff_header(width, height):
    entries = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1)]
    return (
        b"II*\0\x08\0\0\0"
        + struct.pack("<H", 4)
        + b"".join(struct.pack("<HHII", *e) for e in entries)
        + bytes(4)
    )


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (png_header, "PNG"),
        (jpeg_header, "JPEG"),
        (bmp_header, "BMP"),
        (pnm_header, "PNM"),
        (tiff_header, "TIFF"),
    ],
)
def test_a_picture_too_large_is_refused_by_its_header(tmp_path, capsys, make, name):
    path = tmp_path / "in.png"
    path.write_bytes(make(40_000, 40_000))
    start_s = time.monotonic()
    said = refused_picture(tmp_path, capsys, path)
    if name != "BMP":  # a BMP that is not as long as its pixels is cut off
        assert f"a {name} of 40000x40000 pixels" in said and "16384" in said
    assert time.monotonic() - start_s < 5


def test_a_heic_without_its_reader_says_what_is_missing(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    path = tmp_path / "in.heic"
    path.write_bytes(struct.pack(">I", 24) + b"ftypheic\0\0\0\0mif1heic" + bytes(200))
    assert "pip install pillow-heif" in refused_picture(tmp_path, capsys, path)


def test_a_heic_is_read_where_its_reader_is_installed(tmp_path):
    heif = pytest.importorskip("pillow_heif", reason="reads HEIC: pip install pillow-heif")
    from dmask.io.picture import read_picture

    bgr = background(96, 64)
    rgb = np.ascontiguousarray(bgr[..., ::-1])
    heif.encode("RGB", (96, 64), rgb.tobytes(), str(tmp_path / "in.heic"), quality=95)
    read = read_picture(tmp_path / "in.heic")
    assert read.shape == bgr.shape and np.abs(read.astype(int) - bgr).mean() < 4


@pytest.mark.parametrize("suffix", ["mp3", "m4a"])
def test_an_audio_file_with_a_cover_is_no_video(tmp_path, capsys, suffix):
    path = tmp_path / f"in.{suffix}"
    cover = cv2.imencode(".jpg", background())[1].tobytes()
    with av.open(str(path), "w", format="mp4" if suffix == "m4a" else suffix) as container:
        sound = container.add_stream("libmp3lame" if suffix == "mp3" else "aac", rate=44100, layout="mono")
        picture = container.add_stream("mjpeg")
        picture.width, picture.height, picture.pix_fmt = 160, 120, "yuvj420p"
        picture.disposition = av.stream.Disposition.attached_pic
        container.start_encoding()
        packet = av.Packet(cover)
        packet.stream, packet.pts, packet.dts, packet.time_base = picture, 0, 0, Fraction(1, 90000)
        container.mux(packet)
        for number in range(20):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            frame.sample_rate, frame.pts = 44100, 1024 * number
            container.mux(sound.encode(frame))
        container.mux(sound.encode())
    assert "audio only with a picture for its cover" in refused_picture(tmp_path, capsys, path)


def test_a_file_that_may_not_be_read_is_called_so(tmp_path, capsys, monkeypatch):
    path = tmp_path / "in.png"
    cv2.imwrite(str(path), background())
    path.chmod(0)
    if os.access(path, os.R_OK):  # as root

        def refused(self, *more, **options):
            raise PermissionError(13, "Permission denied", str(self))

        monkeypatch.setattr("pathlib.Path.open", refused)
    said = refused_picture(tmp_path, capsys, path)
    assert "cannot be read (Permission denied)" in said


@pytest.mark.parametrize("suffix", ["png", "tif", "webp", "bmp"])
def test_a_damaged_picture_makes_no_noise(tmp_path, capfd, suffix):
    noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    data = cv2.imencode(f".{suffix}", noise)[1].tobytes()
    (tmp_path / f"in.{suffix}").write_bytes(data[: len(data) // 2])
    refused_picture(tmp_path, capfd, tmp_path / f"in.{suffix}")
