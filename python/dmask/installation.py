"""What this installation can do: packages, processor, core, models, NVIDIA's parts, and what would be used.

Nothing here needs the core to load: an installation that is broken says so part by part.
"""

from __future__ import annotations

import ctypes
import importlib.util
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from dmask import environment, models
from dmask.errors import Error
from dmask.options import make_pipeline

NEEDED_FLAGS = ("avx2", "fma", "f16c", "bmi2")  # x86-64-v3
FASTER_FLAGS = ("avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16")
TENSORRT_PACKAGES = {"tensorrt": "tensorrt", "tensorrt_rtx": "tensorrt-rtx"}  # by flavour
TENSORRT_LIBRARIES = {
    "tensorrt": ("libnvinfer.so.11", "libnvinfer.so.10"),
    "tensorrt_rtx": ("libtensorrt_rtx.so.1",),
}
CUDA_MEANINGS = {0: "", 35: "the driver is older than CUDA", 100: "no device"}


def examine() -> dict[str, Any]:
    """What is here, part by part, with a state in words for each; `problems` say what is missing."""
    problems: list[str] = []
    cpu_name, flags = environment.cpu_info()
    missing = [flag for flag in NEEDED_FLAGS if flags and flag not in flags]
    if missing:
        problems.append(
            f"the processor lacks {', '.join(missing)}; expected x86-64-v3 (2013 or later): build with "
            "-DDMASK_X86_64_V3=OFF"
        )
    versions = environment.versions()
    absent = [name for name, found in versions.items() if found == "not installed"]
    problems += [f"{name} is not installed: pip install ." for name in absent]
    core: dict[str, Any] = {}
    gpu: dict[str, Any] = {"built": False, "device": "", "problem": "the core could not be loaded"}
    runner: dict[str, Any] = {"built": False, "library": "", "problem": "the core could not be loaded"}
    try:
        from dmask import _core

        core = {key: str(value) for key, value in _core.system_info().items()}
        gpu, runner = _core.gpu_status(), _core.tensorrt_status()
    except Exception as error:
        problems.append(f"the core could not be loaded ({error}): pip install .")
    models = check_models(problems)
    return {
        "versions": versions,
        "processor": {
            "name": cpu_name,
            "logical CPUs": environment.hardware()["logical_cpus"],
            "memory": f"{environment.hardware()['memory_gb']} GB",
            "needed": "yes" if not missing else f"lacks {', '.join(missing)}",
            "faster": ", ".join(flag for flag in FASTER_FLAGS if flag in flags) or "nothing beyond that",
        },
        "core": core,
        "models": models,
        "NVIDIA": {
            "driver": cuda_driver(),
            "CUDA kernels": cuda_kernels(gpu),
            "TensorRT runner": runner_state(runner),
            "TensorRT packages": packages_state(),
            "TensorRT libraries": ", ".join(tensorrt_libraries()) or "none found",
        },
        "engines": engines_state(fitting_engines(runner)) if core else {"folder": "unknown"},
        "would be used": would_be_used(problems),
        "problems": problems,
    }


def check_models(problems: list[str]) -> dict[str, str]:
    """State by file name, each compared with manifest.json; what is wrong is added to `problems`."""
    states = {}
    wanted = [(name, environment.MODELS_DIR, name) for name in environment.SHARED_MODELS]
    for weights in ("research", "open"):
        folder = environment.weights_dir(weights)
        names = list(environment.TRAINED_MODELS)
        if weights == "research":
            names += environment.CLOSE_UP_MODELS
        wanted += [(f"{weights}: {name}", folder, name) for name in names]
    for label, folder, name in wanted:
        try:
            path = models.check(name, folder)
            states[label] = f"whole, {path.stat().st_size / 1e6:.1f} MB, {environment.sha256(path)[:12]}"
        except Error as error:
            states[label] = "not usable"
            problems.append(str(error))
    return states


def cuda_driver() -> str:
    """What the driver says; its library is loaded, never a runtime."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return "none (libcuda.so.1 is not here)"
    number, count = ctypes.c_int(0), ctypes.c_int(0)
    driver.cuDriverGetVersion(ctypes.byref(number))
    status = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
    known = f"for CUDA {cuda_version(number.value)}"
    if status:
        return f"{known}, but {CUDA_MEANINGS.get(status, 'an error')} ({status})"
    return f"{known}, {count.value} device(s)"


def cuda_version(number: int) -> str:
    """The version that CUDA writes as 13000, as 13.0."""
    return f"{number // 1000}.{number % 1000 // 10}" if number else "unknown"


def cuda_kernels(gpu: dict[str, Any]) -> str:
    if not gpu["built"]:
        return "not built"
    built = f"built, runtime {cuda_version(gpu['runtime_version'])}"
    return f"{built}, {gpu['device']}" if not gpu["problem"] else f"{built}, but {gpu['problem']}"


def runner_state(runner: dict[str, Any]) -> str:
    if not runner["built"]:
        return "not built"
    built = f"built for {runner['flavour']} {runner['header_version']}"
    if runner["problem"]:
        return f"{built}, but {runner['problem']}"
    return f"{built}, loads {runner['library']} {runner['version']}"


def package_version(flavour: str) -> str | None:
    try:
        return version(TENSORRT_PACKAGES[flavour])
    except PackageNotFoundError:
        return None


def packages_state() -> str:
    found = {flavour: package_version(flavour) for flavour in TENSORRT_PACKAGES}
    return ", ".join(f"{flavour} {number}" for flavour, number in found.items() if number) or "none"


def tensorrt_libraries() -> list[str]:
    """Names that the system finds, and paths inside of Python packages."""
    found = []
    for flavour, libraries in TENSORRT_LIBRARIES.items():
        spec = importlib.util.find_spec(f"{flavour}_libs")
        folders = [Path(folder) for folder in (spec.submodule_search_locations or ())] if spec else []
        for name in libraries:
            found += [str(folder / name) for folder in folders if (folder / name).is_file()]
            try:
                ctypes.CDLL(name)
            except OSError:
                continue
            found.append(name)
    return found


def fitting_engines(runner: dict[str, Any]) -> dict[str, list[str]]:
    """Precisions by net (`research/face68` ...) for which the cache has an engine that fits this machine.

    The runner's library decides; where there is none, a Python package's does: a cache may be filled before.
    """
    from dmask.engines import names  # loads the core

    if runner.get("version"):
        flavour, number = runner["flavour"], runner["version"]
    else:
        flavour = next((name for name in TENSORRT_PACKAGES if package_version(name)), "tensorrt_rtx")
        number = package_version(flavour) or "none"
    gpu = names.this_gpu()
    part = names.gpu_part(flavour, *gpu) if gpu else names.PORTABLE
    files = {environment.SHARED_MODELS[0]: environment.MODELS_DIR}
    nets = [(Path(name).stem, folder / name) for name, folder in files.items()]
    for weights in ("research", "open"):
        folder = environment.weights_dir(weights)
        trained = [name for name in environment.TRAINED_MODELS if name.endswith(".onnx")]
        nets += [(f"{weights}/{Path(name).stem}", folder / name) for name in trained]
    fitting = {}
    for label, path in nets:
        sha256 = environment.sha256(path) if path.is_file() else ""
        keys = {
            precision: names.EngineKey(path.stem, sha256, precision, flavour, number, part)
            for precision in names.PRECISIONS
        }
        fitting[label] = [
            precision for precision, key in keys.items() if (names.folder() / key.file_name).is_file()
        ]
    return fitting


def engines_state(fitting: dict[str, list[str]]) -> dict[str, str]:
    from dmask.engines import names  # loads the core

    return {"folder": str(names.folder())} | {
        label: ", ".join(precisions) or "none that fits" for label, precisions in fitting.items()
    }


def would_be_used(problems: list[str]) -> str:
    """The backend that --backend auto takes, and why: as the core decides it."""
    options = {"backend": "auto", "weights": "research", "precision": "auto", "threads": 1}
    try:
        pipeline = make_pipeline(options)
    except Exception as error:
        problems.append(f"no pipeline could be made ({error}): pip install .")
        return "nothing"
    return f"{pipeline.backend}: {pipeline.backend_reason}"
