"""docs/gpu.md holds what its generators say."""

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
