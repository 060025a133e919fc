"""`dmask doctor`: what is installed, whether it is whole, and what would be used."""

from __future__ import annotations

import argparse
import ctypes
import json

NEEDED_FLAGS = ("avx2", "fma", "f16c", "bmi2")  # x86-64-v3
FASTER_FLAGS = ("avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16")
TENSORRT_LIBRARIES = ("libnvinfer.so.11", "libnvinfer.so.10", "libtensorrt_rtx.so.1")
CUDA_MEANINGS = {0: "", 35: "the driver is older than CUDA", 100: "no device"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    report = examine()
    if args.json:
        print(json.dumps(report, indent=2))
    else:
        for name, value in report.items():
            if name == "problems":
                continue
            if isinstance(value, dict):
                print(name)
                for key, text in value.items():
                    print(f"  {key:<28} {text}")
            else:
                print(f"{name:<30} {value}")
        for problem in report["problems"]:
            print(f"PROBLEM  {problem}")
        print("everything that is needed is here" if not report["problems"] else "")
    return 1 if report["problems"] else 0


def examine() -> dict:
    from dmask import environment

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
    cuda, devices = cuda_devices()
    tensorrt = tensorrt_library()
    core: dict = {}
    try:
        from dmask import _core

        core = {key: str(value) for key, value in _core.system_info().items()}
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
        "NVIDIA": {"CUDA": cuda, "TensorRT": tensorrt or "no library found"},
        "would be used": "tensorrt" if devices and tensorrt else "cpu (OpenVINO)",
        "problems": problems,
    }


def check_models(problems: list[str]) -> dict[str, str]:
    """State by file name, each compared with manifest.json; what is wrong is added to `problems`."""
    from dmask import environment, models
    from dmask.errors import Error

    states = {}
    wanted = [(name, environment.MODELS_DIR, name) for name in environment.SHARED_MODELS]
    for weights in ("research", "open"):
        folder = environment.weights_dir(weights)
        wanted += [(f"{weights}: {name}", folder, name) for name in environment.TRAINED_MODELS]
    for label, folder, name in wanted:
        try:
            path = models.check(name, folder)
            states[label] = f"whole, {path.stat().st_size / 1e6:.1f} MB"
        except Error as error:
            states[label] = "not usable"
            problems.append(str(error))
    return states


def cuda_devices() -> tuple[str, int]:
    """A sentence, and the number of CUDA devices. Loads the driver, never a runtime."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return "no driver (libcuda.so.1 is not here)", 0
    count = ctypes.c_int(0)
    status = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
    if status:
        return f"driver here, but {CUDA_MEANINGS.get(status, 'an error')} ({status})", 0
    return f"{count.value} device(s)", count.value


def tensorrt_library() -> str | None:
    for name in TENSORRT_LIBRARIES:
        try:
            ctypes.CDLL(name)
        except OSError:
            continue
        return name
    return None
