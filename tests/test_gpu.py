"""What only a machine with an NVIDIA GPU can show: `pytest -m gpu`. See docs/gpu.md."""

import json

import pytest

from dmask import _core, cli

pytestmark = pytest.mark.gpu


@pytest.fixture(scope="module", autouse=True)
def gpu():
    problem = _core.gpu_status()["problem"] or _core.tensorrt_status()["problem"]
    if problem:
        pytest.skip(problem)


@pytest.mark.parametrize("precision", ["f32", "f16"])
def test_every_stage_equals_the_cpu_path(tmp_path, patient_video, precision):
    report = tmp_path / "check.json"
    arguments = ["bench", "--backend", "tensorrt", "--check", "--precision", precision]
    assert cli.main([*arguments, "--video", str(patient_video), "--json", str(report)]) == 0
    assert json.loads(report.read_text())["equal"]


def test_a_real_clip_equals_the_cpu_path(tmp_path, shared):
    clip = str(shared / "data" / "clips" / "lp_d0.mp4")
    assert cli.main(["bench", "--backend", "tensorrt", "--check", "--video", clip]) == 0


def test_auto_takes_the_gpu(patient_frames):
    from dmask.options import make_pipeline

    options = {"backend": "auto", "weights": "research", "precision": "auto", "threads": 1}
    pipeline = make_pipeline(options)
    assert pipeline.backend == "tensorrt", pipeline.backend_reason
    assert pipeline.process(patient_frames[0], 0.0).face_valid
