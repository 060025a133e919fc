"""docs/privacy.md holds what its generator says, and no profile is far from what it promises."""

import sys

import pytest
from conftest import CHECKOUT

sys.path.insert(0, str(CHECKOUT / "bench"))
pytestmark = pytest.mark.skipif(
    not (CHECKOUT / "bench" / "privacy_tables.py").exists(), reason="needs the checkout's bench folder"
)


@pytest.mark.parametrize("name", ["linkage", "curve", "motion"])
def test_the_tables_are_those_of_the_figures(name):
    import privacy_tables

    text = privacy_tables.DOCUMENT.read_text(encoding="utf-8")
    table = privacy_tables.TABLES[name](privacy_tables.kept(name))
    assert f"<!-- {name} -->\n{table}\n<!-- end -->" in text, "run python bench/privacy_tables.py"


def test_every_attack_on_another_session_is_in_the_table():
    import privacy_tables

    figures = privacy_tables.kept("linkage")
    others = [row for row in figures["attacks"] if row["session"] == "other"]
    shown = [row for row in others if any(held(row) for held in privacy_tables.HELD.values())]
    assert shown == others
    for profile in privacy_tables.PROFILES:
        own = [row for row in others if row["of"] == profile]
        assert all(any(held(row) for row in own) for held in privacy_tables.HELD.values())
    table = privacy_tables.linkage(figures)
    for profile in privacy_tables.PROFILES:  # the worst is among what is shown
        worst = max((row for row in others if row["of"] == profile), key=lambda row: row["auc"])
        assert f", {worst['auc']:.3f} |" in table
