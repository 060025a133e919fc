"""bench/gpu_machine.py on a machine that is made up: what it keeps of programs, profiler and sanitizer."""

from __future__ import annotations

import json
import re
import sys

import pytest
from conftest import CHECKOUT

sys.path.insert(0, str(CHECKOUT / "bench"))
pytestmark = pytest.mark.skipif(
    not (CHECKOUT / "bench" / "gpu_machine.py").exists(), reason="needs the checkout's bench folder"
)

NCU = """==PROF== Connected to process 7
"ID","Kernel Name","gpu__time_duration.sum"
"","","ns"
"0","draw_kernel(DrawArguments)","2,000"
"1","draw_kernel(DrawArguments)","4000"
"2","draw_kernel(DrawArguments)","9000"
"3","pose_kernel","1500"
"4","unnamed>::bins_kernel","7000"
"5","dmask::cuda::(anonymous namespace)::lines_kernel(dmask::cuda::EdgeMaps)","8000"
==PROF== Disconnected
"""
PAINT = '{"paint": "512 x 512", "painted_ms": 0.44, "gpu_ms": 0.4, "without_download_ms": 0.3, "cpu_ms": 4.6}'


def program(path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A packed folder of programs that all pass, with the tools that a machine with a card has on PATH."""
    packed, tools = tmp_path / "packed", tmp_path / "tools"
    program(packed / "bin" / "test_gpu_lines", "echo 'decode_lines: 1e-5 px'\n")
    for name in ("test_gpu_mask", "test_gpu_fit"):
        program(packed / "bin" / name, "echo '1 checks, 0 of them failed'\n")
    program(packed / "bin" / "gpu_times", f"[ $# = 1 ] && [ $1 = paint ] && echo '{PAINT}'\nexit 0\n")
    (packed / "about.json").write_text('{"commit": "abc"}')
    program(tools / "nvidia-smi", "echo 'NVIDIA H100, 9.0, 580.159'\n")
    program(tools / "compute-sanitizer", "echo '========= ERROR SUMMARY: 0 errors'\n")
    (tmp_path / "table").write_text(NCU)
    program(
        tools / "ncu",
        f'while [ "$1" != --log-file ]; do shift; done\ncp {tmp_path}/table "$2"\n',
    )
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    return packed


def measured(packed, budget_s: float = 60) -> tuple[int, dict]:
    import gpu_machine

    out = packed.parent / "gpu.json"
    return gpu_machine.measure(packed, budget_s, out), json.loads(out.read_text())


def test_everything_is_kept_and_shown(machine, capsys):
    status, result = measured(machine)
    assert status == 0 and result["not_run"] == []
    assert (result["card"], result["driver"], result["commit"]) == ("NVIDIA H100", "580.159", "abc")
    assert {test["test"] for test in result["tests"]} == {"test_gpu_fit", "test_gpu_lines", "test_gpu_mask"}
    assert all(test["passed"] for test in result["tests"])
    assert result["tests"][1]["said"] == ["decode_lines: 1e-5 px"]
    assert result["paint"] == [json.loads(PAINT)]
    assert result["kernels"]["512 x 512"] == {
        "bins_kernel": 7.0,
        "draw_kernel": 4.0,
        "lines_kernel": 8.0,
        "pose_kernel": 1.5,
    }
    assert all(run["clean"] for run in result["sanitizer"])
    assert {run["tool"] for run in result["sanitizer"]} == {"memcheck", "racecheck", "synccheck"}
    shown = capsys.readouterr().out
    assert "0.44" in shown and "draw_kernel 4.0" in shown and "0 with findings" in shown


def test_a_failed_test_is_no_success(machine):
    program(machine / "bin" / "test_gpu_mask", "exit 1\n")
    status, result = measured(machine)
    assert status == 1 and [test["passed"] for test in result["tests"]] == [True, True, False]


@pytest.mark.parametrize("said", ["echo '========= ERROR SUMMARY: 2 errors'\n", "exit 0\n"])
def test_what_a_sanitizer_finds_or_does_not_say_is_no_success(machine, said):
    program(machine.parent / "tools" / "compute-sanitizer", said)
    assert measured(machine)[0] == 1


def test_what_the_budget_does_not_allow_is_named(machine):
    program(machine / "bin" / "gpu_times", "sleep 60\n")
    status, result = measured(machine, budget_s=3)
    assert result["seconds"] < 20
    assert re.fullmatch(
        r"gpu_times paint \(stopped after \d s, the end of the budget\)", result["not_run"][0]
    )
    assert any(name.startswith("memcheck") for name in result["not_run"])
    assert status == 0 and result["sanitizer"] == []


def test_without_tools_that_is_said(machine):
    for tool in ("ncu", "compute-sanitizer"):
        (machine.parent / "tools" / tool).unlink()
    _, result = measured(machine)
    assert [name.split(" (")[1] for name in result["not_run"]] == [
        "ncu is not on PATH)",
        "compute-sanitizer is not on PATH)",
    ]


def test_a_machine_without_a_test_is_no_success(machine):
    for name in ("test_gpu_fit", "test_gpu_lines", "test_gpu_mask"):
        (machine / "bin" / name).unlink()
    assert measured(machine)[0] == 1
