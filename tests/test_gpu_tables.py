"""docs/gpu.md holds what its generators say."""

import json
import shutil
import sys

import pytest
from conftest import CHECKOUT

sys.path.insert(0, str(CHECKOUT / "bench"))
DOCUMENT = CHECKOUT / "docs" / "gpu.md"
pytestmark = pytest.mark.skipif(
    not (CHECKOUT / "bench" / "roofline.py").exists(), reason="needs the checkout's bench folder"
)


@pytest.mark.parametrize("size", [(512, 512), (1920, 1080)])
def test_the_roofline_is_the_one_that_is_computed(size):
    import roofline

    assert roofline.table(*size) in DOCUMENT.read_text(encoding="utf-8")


def test_the_measured_times_are_those_of_the_card():
    import gpu_report

    assert gpu_report.tables() in DOCUMENT.read_text(encoding="utf-8"), (
        "run python bench/gpu_tables.py measured"
    )


def test_every_run_of_the_card_is_in_the_tables():
    import gpu_report

    result = json.loads(gpu_report.MEASURED.read_text())
    assert result["tests"] and result["paint"] and result["fits"] and result["sanitizer"]
    rows = {row.split(" | ")[0].strip("| "): row for row in gpu_report.tables().splitlines()}
    for row in result["paint"]:
        assert f"| {row['painted_ms']:.2f} | {row['gpu_ms']:.2f} |" in rows[row["paint"].replace("x", "×")]
    for row in result["fits"]:
        assert rows[str(row["fits"])].split(" | ")[1] == f"{row['frame_ms']:.3f}"
    for what, kernels in result["kernels"].items():
        for kernel, us in kernels.items():
            assert kernel in gpu_report.PAINTER or f"| {us:.1f} | {what} |" in rows[kernel]
    for kernel in gpu_report.PAINTER:
        cells = rows[kernel].split(" | ")
        assert [cells[1], cells[3]] == [f"{result['kernels'][size][kernel]:.1f}" for size in gpu_report.SIZES]


def test_what_failed_on_a_card_is_said():
    import gpu_report

    result = json.loads(gpu_report.MEASURED.read_text())
    result["tests"][0]["passed"] = result["sanitizer"][0]["clean"] = False
    result["sanitizer"][0]["found"] = "3 errors"
    said = gpu_report.seen(result)
    assert (
        "8 of 9 programs passed, not test_gpu_crops" in said and "memcheck test_gpu_crops: 3 errors" in said
    )


def test_a_table_goes_between_its_own_marks():
    import gpu_tables

    text = "<!-- a -->\n<!-- end -->\nkept\n<!-- b -->\nold\n<!-- end -->\n"
    text = gpu_tables.with_table(gpu_tables.with_table(text, "a", "new"), "b", "newer")
    assert text == "<!-- a -->\nnew\n<!-- end -->\nkept\n<!-- b -->\nnewer\n<!-- end -->\n"


def test_more_pixels_cost_more():
    import roofline

    small, large = (sum(roofline.limit_us(w, roofline.CARDS[0]) for w in roofline.frame_work(*size))
                    for size in ((256, 256), (1024, 1024)))  # fmt: skip
    assert large > 2 * small


@pytest.mark.skipif(shutil.which("nvcc") is None, reason="needs nvcc")
def test_no_kernel_spills_and_the_table_is_current():
    import kernel_table

    kernels = kernel_table.all_kernels()
    assert len(kernels) >= 19 and all(len(kernel.registers) == 4 for kernel in kernels)
    assert not [kernel.name for kernel in kernels if kernel.spill_bytes or kernel.stack_bytes]
    said = DOCUMENT.read_text(encoding="utf-8")
    assert all(f"| {kernel.file} | {kernel.name} |" in said for kernel in kernels)
