"""What only a machine with an NVIDIA GPU can show: `pytest -m gpu`. See docs/gpu.md."""

import json

import pytest

from dmask import _core, cli
from dmask.evaluate.backends import BATCH_TOLERANCES, batch_is_equal
from dmask.options import make_pipeline

pytestmark = pytest.mark.gpu
OPTIONS = {"backend": "auto", "weights": "research", "precision": "auto", "threads": 1}


@pytest.fixture(scope="module", autouse=True)
def card():
    if problem := _core.gpu_status()["problem"]:
        pytest.skip(problem)


@pytest.fixture(scope="module")
def tensorrt():
    if problem := _core.tensorrt_status()["problem"]:
        pytest.skip(problem)


def test_frames_that_are_fitted_at_once_are_the_cpus(patient_frames):
    pipeline = make_pipeline(OPTIONS | {"backend": "cpu"})
    detections = [pipeline.detect(frame, i / 30) for i, frame in enumerate(patient_frames)]
    pipeline.calibrate(detections)
    compared = pipeline.compare_batch_fit(detections)
    assert compared["frames"] == len(patient_frames) and set(BATCH_TOLERANCES) <= set(compared)
    assert batch_is_equal(compared)


@pytest.mark.parametrize("precision", ["f32", "f16"])
def test_every_stage_equals_the_cpu_path(tmp_path, patient_video, precision, tensorrt):
    report = tmp_path / "check.json"
    arguments = ["bench", "--backend", "tensorrt", "--check", "--precision", precision]
    assert cli.main([*arguments, "--video", str(patient_video), "--json", str(report)]) == 0
    assert json.loads(report.read_text())["equal"]


def test_a_real_clip_equals_the_cpu_path(tmp_path, shared, tensorrt):
    clip = str(shared / "data" / "clips" / "lp_d0.mp4")
    assert cli.main(["bench", "--backend", "tensorrt", "--check", "--video", clip]) == 0


def test_auto_takes_the_gpu(patient_frames, tensorrt):
    pipeline = make_pipeline(OPTIONS)
    assert pipeline.backend == "tensorrt", pipeline.backend_reason
    assert pipeline.process(patient_frames[0], 0.0).face_valid
