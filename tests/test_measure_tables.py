"""docs/clinical.md lists every measure and every threshold as the code has them."""

import sys

import pytest
from conftest import CHECKOUT

sys.path.insert(0, str(CHECKOUT / "bench"))
pytestmark = pytest.mark.skipif(
    not (CHECKOUT / "bench" / "measure_tables.py").exists(), reason="needs the checkout's bench folder"
)


@pytest.mark.parametrize("name", ["measures", "thresholds"])
def test_the_tables_are_those_of_the_code(name):
    import measure_tables

    text = measure_tables.DOCUMENT.read_text(encoding="utf-8")
    assert f"<!-- {name} -->\n{measure_tables.TABLES[name]()}\n<!-- end -->" in text, (
        "run python bench/measure_tables.py"
    )
