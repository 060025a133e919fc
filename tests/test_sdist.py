"""The source distribution holds what builds and tests dmask, and nothing beside it."""

from __future__ import annotations

import os
import subprocess
import tarfile
from pathlib import Path, PurePosixPath

import pytest
from conftest import CHECKOUT

backend = pytest.importorskip("scikit_build_core.build", reason="needs scikit-build-core, which packs it")

LEFT_OUT = (".ci/", ".github/")  # they act on a checkout, not on a copy of its files


def packed_names(checkout: Path, folder: Path) -> list[str]:
    """Files of the source distribution of a checkout, without its own folder's name."""
    before = Path.cwd()
    os.chdir(checkout)
    try:
        archive = folder / backend.build_sdist(str(folder))
    finally:
        os.chdir(before)
    assert archive.stat().st_size < 25e6
    with tarfile.open(archive) as packed:
        assert all(member.isfile() for member in packed)  # no link leads out of it
        return [str(PurePosixPath(*PurePosixPath(name).parts[1:])) for name in packed.getnames()]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return packed_names(CHECKOUT, tmp_path_factory.mktemp("sdist"))


def test_what_builds_and_tests_dmask_is_there(names):
    assert {
        "CMakeLists.txt",
        "pyproject.toml",
        "LICENSE",
        "NOTICE",
        "MODEL_LICENSES.md",
        "README.md",
        "cmake/dmaskConfig.cmake.in",
        "cpp/bindings/CMakeLists.txt",
        "cpp/include/dmask/dmask.h",
        "cpp/tests/check.hpp",
        "python/dmask/models/face.dmm",
        "tests/conftest.py",
        "third_party/eigen/Eigen/Core",
        "third_party/yunet/face_detection_yunet_2023mar.onnx",
        "third_party/uplot/uPlot.iife.min.js",
        "python/dmask/report/page.html",
        "python/dmask/report/page.css",
        "python/dmask/report/page.js",
    } <= set(names)


def test_nothing_is_there_that_was_built_or_belongs_to_a_checkout(names):
    for name in names:
        path = PurePosixPath(name)
        assert not name.startswith((*LEFT_OUT, ".git/", "build/", "shared/", "run")), name
        assert path.suffix not in {".so", ".o", ".a", ".pyc", ".whl", ".engine", ".partial"}, name
        assert "__pycache__" not in path.parts, name


def test_it_is_the_tracked_files(names):
    if not (CHECKOUT / ".git").exists():
        pytest.skip(f"{CHECKOUT} is no git checkout: nothing says which files are tracked")
    listed = subprocess.check_output(["git", "-C", CHECKOUT, "ls-files", "-z"], text=True)
    tracked = {name for name in listed.split("\0") if name and not name.startswith(LEFT_OUT)}
    assert len(names) == len(set(names))
    assert set(names) == tracked | {"PKG-INFO"}


def test_recordings_and_results_that_lie_about_stay_at_home(tmp_path):
    checkout = tmp_path / "checkout"
    for name in (
        "visit.mp4",
        "visit/frames.csv",
        "visit/track.dmask",
        "visit/mask.png",
        "docs/face.jpg",
        "a.heic",
    ):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_bytes(b"of a patient")
    (checkout / "cpp").mkdir()
    (checkout / "cpp" / "mask.cc").write_text("int a;\n")
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE", "MODEL_LICENSES.md"):
        (checkout / name).write_bytes((CHECKOUT / name).read_bytes())
    packed = set(packed_names(checkout, tmp_path))
    assert packed == {
        "cpp/mask.cc",
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "NOTICE",
        "MODEL_LICENSES.md",
        "PKG-INFO",
    }
