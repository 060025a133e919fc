"""`dmask doctor`: that it says what is there, what is not, and what would be used."""

from __future__ import annotations

import json

import pytest

from dmask import cli, installation
from dmask.engines import names
from dmask.environment import MODELS_DIR, sha256

GPU = {"built": True, "device": "Tesla T4, compute capability 7.5", "problem": "", "runtime_version": 13000}
RUNNER = {
    "built": True,
    "header_version": "11.2.0",
    "library": "libnvinfer.so.11",
    "flavour": "tensorrt",
    "version": "11.2.0.7",
    "problem": "",
}
NETS = ("face68", "eyelid", "iris", "lines", "face_detection_yunet_2023mar")


@pytest.fixture
def machine_with_a_gpu(monkeypatch, tmp_path):
    monkeypatch.setenv("DMASK_ENGINES", str(tmp_path))
    monkeypatch.setattr(names, "this_gpu", lambda: ("Tesla T4", 7, 5))
    return tmp_path


def keep_engine(folder, net: str, precision: str = "f16", version: str = RUNNER["version"]):
    key = names.EngineKey(
        net, sha256(MODELS_DIR / f"{net}.onnx"), precision, "tensorrt", version, "tesla_t4_sm75"
    )
    (folder / key.file_name).write_bytes(b"engine")


def test_it_tells_of_cuda_tensorrt_and_engines(capsys):
    code = cli.main(["doctor", "--json"])
    report = json.loads(capsys.readouterr().out)
    assert code == (1 if report["problems"] else 0)
    assert set(report["NVIDIA"]) == {
        "driver",
        "CUDA kernels",
        "TensorRT runner",
        "TensorRT packages",
        "TensorRT libraries",
    }
    assert report["engines"]["folder"] == str(names.folder())
    assert {"research/face68", "open/lines", "face_detection_yunet_2023mar"} <= set(report["engines"])
    assert report["would be used"].startswith(("cpu: OpenVINO", "tensorrt: TensorRT"))


def test_models_are_shown_with_their_hashes(capsys):
    cli.main(["doctor"])
    assert sha256(MODELS_DIR / "open" / "iris.onnx")[:12] in capsys.readouterr().out


def test_an_engine_fits_by_model_precision_and_library(machine_with_a_gpu):
    keep_engine(machine_with_a_gpu, "iris")
    keep_engine(machine_with_a_gpu, "lines", version="11.1.0.3")
    fitting = installation.fitting_engines(RUNNER)
    assert fitting["research/iris"] == ["f16"]
    assert fitting["research/lines"] == fitting["open/iris"] == []
    keep_engine(machine_with_a_gpu, "iris", "f32")
    assert installation.fitting_engines(RUNNER)["research/iris"] == ["f32", "f16"]


def test_what_would_be_used_is_what_a_pipeline_takes():
    from dmask.options import make_pipeline

    pipeline = make_pipeline({"backend": "auto", "weights": "research", "precision": "auto", "threads": 1})
    problems = []
    assert installation.would_be_used(problems) == f"{pipeline.backend}: {pipeline.backend_reason}"
    assert not problems and pipeline.backend_reason


def test_what_is_built_and_what_hinders_it_are_told_apart():
    assert installation.cuda_kernels({"built": False}) == "not built"
    assert installation.cuda_kernels(GPU) == "built, runtime 13.0, Tesla T4, compute capability 7.5"
    assert installation.cuda_kernels(GPU | {"problem": "no driver"}) == "built, runtime 13.0, but no driver"
    assert installation.runner_state({"built": False}) == "not built"
    assert installation.runner_state(RUNNER) == "built for tensorrt 11.2.0, loads libnvinfer.so.11 11.2.0.7"
    assert installation.runner_state(RUNNER | {"problem": "x"}) == "built for tensorrt 11.2.0, but x"


def test_the_core_answers_without_a_gpu():
    from dmask import _core

    gpu, runner = _core.gpu_status(), _core.tensorrt_status()
    assert set(gpu) == {"built", "devices", "device", "driver_version", "runtime_version", "problem"}
    assert set(runner) == {"built", "header_version", "library", "flavour", "version", "problem"}
    assert bool(gpu["problem"]) == (gpu["devices"] == 0)
    assert runner["built"] or "no TensorRT runner" in runner["problem"]
