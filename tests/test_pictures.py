"""Every tracked picture or video is rendered by a script of the repository: nobody's face gets in unseen."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import zipfile
from base64 import b64encode
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
from conftest import CHECKOUT, background, write_video

RENDERED_BY = {
    "docs/eye_lines.png": "docs/make_pictures.py",
    "docs/first_mask.png": "docs/make_pictures.py",
    "docs/moving_mask.webp": "docs/make_pictures.py",
}
PICTURE_OR_VIDEO = set(
    """3gp apng asf avi avif bmp cr2 dcm dib dng exr flv gif hdr heic heif ico j2k jfif jp2 jpe jpeg jpg jxl
    m2ts m4v mkv mov mp4 mpeg mpg mts mxf nef ogg ogv pbm pcx pgm png pnm ppm psd svg tga tif tiff vob webm
    webp wmv y4m""".split()
)
ARCHIVE = set("7z bz2 gz npy npz pdf pickle pkl rar tar tgz xz zip zst".split())  # may hold pictures
SIGNATURES = {  # regular expressions on a file's first bytes
    "PNG": rb"\x89PNG",
    "JPEG": rb"\xff\xd8\xff",
    "GIF": rb"GIF8[79]a",
    "BMP": rb"BM.{4}\0{4}",
    "TIFF": rb"II[*+]\0|MM\0[*+]",
    "WebP or AVI": rb"RIFF.{4}(WEBP|AVI )",
    "MP4, MOV, HEIC or AVIF": rb".{4}(ftyp|moov|mdat|wide)",
    "Matroska or WebM": rb"\x1aE\xdf\xa3",
    "Ogg": rb"OggS",
    "ASF": rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
    "FLV": rb"FLV\x01",
    "MPEG": rb"\0\0\x01[\xb3\xba]",
    "MPEG transport stream": rb"G.{187}G",
    "JPEG 2000": rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51",
    "JPEG XL": rb"\xff\x0a|\0\0\0\x0cJXL ",
    "Netpbm": rb"P[1-7]\s+(#|\d)",
    "OpenEXR": rb"\x76\x2f\x31\x01",
    "Photoshop": rb"8BPS",
    "icon": rb"\0\0\x01\0[\x01-\x10]\0",
    "DICOM": rb".{128}DICM",
    "tar": rb".{257}ustar",
    "raw video": rb"YUV4MPEG2|DKIF|nut/multimedia|\0\0\0?\x01[\x67\x27\x40\x42\x09\xb0]",
    "portable float map or Radiance": rb"P[Ff]\s|#\?(RADIANCE|RGBE)",
    "archive": rb"PK[\x03\x05]\x04?|\x1f\x8b|BZh|\xfd7zXZ|7z\xbc\xaf|\x28\xb5\x2f\xfd|Rar!|%PDF|\x93NUMPY",
}
# Pictures inside text, as pages and notebooks hold them.
STARTS = (b"\x89PNG\r\n\x1a\n\0", b"\xff\xd8\xff\xe0\0\x10JFI", b"\xff\xd8\xff\xe1", b"GIF89a")
IN_TEXT = re.compile(
    b"|".join(
        [rb";base64,[\w+/]{40}", rb"UklGR[\w+/]{7}RUJQ", rb"_9j_4[\w-]{40}"]
        + [re.escape(b64encode(start)[: len(start) * 4 // 3]) for start in STARTS]
    )
)
# Anywhere inside a file of another kind: a database, weights, a picture after a line of text.
INSIDE = re.compile(
    rb"\x89PNG\r\n\x1a\n\0\0\0\rIHDR|\xff\xd8\xff[\xe0\xe1]..(JFIF|Exif)\0|RIFF.{4}WEBP[V]P8", re.DOTALL
)


def kind(path: Path) -> str | None:
    """What picture, video or archive a file is or holds, by its name, first bytes or text; None: none."""
    ending = path.suffix.lower().lstrip(".")
    if ending in PICTURE_OR_VIDEO | ARCHIVE:
        return ending
    content = path.read_bytes()
    for name, signature in SIGNATURES.items():
        if re.match(signature, content, re.DOTALL):
            return name
    if INSIDE.search(content):
        return "picture inside"
    return "picture in text" if IN_TEXT.search(content) else None


def tracked(folder: Path) -> list[Path]:
    listed = subprocess.check_output(["git", "-C", folder, "ls-files", "-z"], text=True)
    return [folder / name for name in listed.split("\0") if name]


def kinds(folder: Path) -> dict[str, str]:
    """Name and kind of each picture, video or archive that is tracked in a git checkout."""
    found = {path.relative_to(folder).as_posix(): kind(path) for path in tracked(folder) if path.is_file()}
    return {name: what for name, what in found.items() if what}


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(Path(name).stem, CHECKOUT / name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_tracked_picture_is_rendered_here():
    if not (CHECKOUT / ".git").exists():
        pytest.skip(f"{CHECKOUT} is no git checkout: nothing says which files are tracked")
    found = kinds(CHECKOUT)
    assert set(found) == set(RENDERED_BY), (
        f"got {found}; expected the pictures of RENDERED_BY alone: "
        "render new ones by a script and name both there, and take every other out of the history"
    )


def test_each_script_renders_the_pictures_that_it_is_said_to():
    for name in set(RENDERED_BY.values()):
        said = {Path(picture).name for picture, by in RENDERED_BY.items() if by == name}
        assert set(script(name).PICTURES) == said


@pytest.mark.parametrize("picture", RENDERED_BY)
def test_a_picture_is_what_its_script_renders(picture: str, tmp_path: Path):
    again = tmp_path / Path(picture).name
    script(RENDERED_BY[picture]).PICTURES[again.name](again)
    difference = np.abs(frames(CHECKOUT / picture).astype(np.int16) - frames(again))
    # Processors round differently; another face, or another moment, differs by ten levels and more.
    assert difference.mean(axis=(1, 2, 3)).max() < 2.0
    assert (CHECKOUT / picture).stat().st_size < 2e6


def frames(path: Path) -> np.ndarray:
    """(F, H, W, 3) of a picture or of an animated one."""
    if path.suffix == ".webp":
        return np.stack([frame[..., :3] for frame in cv2.imreadanimation(str(path))[1].frames])
    return cv2.imread(str(path))[None]


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "bmp", "tiff", "jp2", "ppm", "gif"])
def test_a_picture_under_another_name_is_seen(ending: str, tmp_path: Path):
    cv2.imwrite(str(tmp_path / f"face.{ending}"), background())
    hidden = (tmp_path / f"face.{ending}").rename(tmp_path / "weights.onnx")
    assert kind(hidden) is not None


@pytest.mark.parametrize("ending", ["png", "jpg", "webp"])
def test_a_picture_inside_another_file_is_seen(ending: str, tmp_path: Path):
    picture = cv2.imencode(f".{ending}", background())[1].tobytes()
    exif = picture.replace(b"\xff\xe0\0\x10JFIF", b"\xff\xe1\0\x10Exif")
    for name, content in {
        "weights.onnx": b"\x08\x07" * 500 + picture + b"\0" * 40,
        "notes.dat": b"a line of text\n" + picture,
        "page.py": b"X = '" + b64encode(exif) + b"'",
        "page.ipynb": b'{"image": "' + b64encode(picture) + b'"}',
    }.items():
        (tmp_path / name).write_bytes(content)
        assert kind(tmp_path / name) is not None, name


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv", "webm", "avi", "ts", "flv", "mpg"])
def test_a_video_under_another_name_is_seen(ending: str, tmp_path: Path):
    codec = {"webm": "libvpx-vp9", "flv": "flv", "mpg": "mpeg2video"}.get(ending, "libx264")
    video = write_video(tmp_path / f"visit.{ending}", [background()] * 3, codec=codec)
    assert kind(video.rename(tmp_path / "notes.md")) is not None


def test_a_picture_inside_a_text_or_an_archive_is_seen(tmp_path: Path):
    for ending in ("png", "jpg", "gif"):
        picture = cv2.imencode(f".{ending}", background())[1].tobytes()
        page = tmp_path / "report.html"
        page.write_bytes(b"<img src='data:image/any;base64," + b64encode(picture) + b"'>")
        assert kind(page) == "picture in text"
        notebook = tmp_path / "look.ipynb"
        notebook.write_bytes(b'{"image/any": "' + b64encode(picture) + b'"}')
        assert kind(notebook) == "picture in text"
    with zipfile.ZipFile(tmp_path / "seeds.bin", "w") as archive:
        archive.writestr("face.png", picture)
    assert kind(tmp_path / "seeds.bin") == "archive"


def test_a_stray_picture_in_a_checkout_is_found(tmp_path: Path):
    (tmp_path / "readme.md").write_text("dmask\n")
    cv2.imwrite(str(tmp_path / "run.png"), background())
    cv2.imwrite(str(tmp_path / "untracked.png"), background())
    for command in (["init", "-q"], ["add", "readme.md", "run.png"]):
        subprocess.run(["git", "-C", tmp_path, *command], check=True)
    assert kinds(tmp_path) == {"run.png": "png"}
