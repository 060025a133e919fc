"""What this installation consists of: versions, models, hardware, and nothing of the person or the place."""

from __future__ import annotations

import hashlib
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

MODELS_DIR = Path(__file__).parent / "models"
SHARED_MODELS = ("face_detection_yunet_2023mar.onnx", "face.dmm", "eyelid.dmm")
TRAINED_MODELS = ("face68.onnx", "eyelid.onnx", "iris.onnx", "lines.onnx", "landmarks.dmm")
CLOSE_UP_MODELS = ("eye_finder.onnx", "regions.onnx")  # of the research set; the open one has none yet
PACKAGES = ("dmask", "openvino", "numpy", "av", "opencv-python-headless")


def versions() -> dict[str, str]:
    """Version by package name; 'not installed' where it is missing."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def models_folder(options: dict[str, object]) -> Path:
    """Where the models of these options are: the package's own unless another folder was named."""
    return Path(str(options.get("models_dir", MODELS_DIR)))


def weights_dir(weights: str, models_dir: Path = MODELS_DIR) -> Path:
    """Folder of the trained nets called research or open."""
    return models_dir / "open" if weights == "open" else models_dir


def model_sha256(weights: str, models_dir: Path = MODELS_DIR) -> dict[str, str]:
    """sha256 by file name of the models used with these weights."""
    files = [models_dir / name for name in SHARED_MODELS]
    files += [weights_dir(weights, models_dir) / name for name in (*TRAINED_MODELS, *CLOSE_UP_MODELS)]
    return {path.name: sha256(path) for path in sorted(files, key=lambda file: file.name) if path.exists()}


def cpu_info() -> tuple[str, set[str]]:
    """Name of the processor and its feature flags, as Linux reports them."""
    name, flags = platform.processor() or platform.machine(), set()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                name = value.strip()
            elif key.strip() == "flags":
                flags = set(value.split())
                break
    return name, flags


def hardware() -> dict[str, object]:
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cpu": cpu_info()[0],
        "logical_cpus": len(os.sched_getaffinity(0)),
        "memory_gb": round(memory_gb, 1),
        "system": f"{platform.system()} {platform.machine()}",
    }
