"""The documentation is true to the code: equations and their functions, links, what runs as printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import CHECKOUT

METHOD = (CHECKOUT / "docs" / "method.md").read_text()
ENTRIES = {
    int(number): text
    for number, text in re.findall(r"^### Eq\. \((\d+)\)\n(.*?)(?=^##|\Z)", METHOD, re.MULTILINE | re.DOTALL)
}
HELD_BY = re.compile(r"`([\w:]+)`\s+(?:\(|in )`([\w/]+\.\w+)`")  # `function` (`file`)
CODE = {".cc", ".cpp", ".hpp", ".h", ".c", ".cu", ".py", ".pyi"}


def sources() -> dict[Path, str]:
    found = (path for part in ("cpp", "python") for path in sorted((CHECKOUT / part).rglob("*")))
    return {path: path.read_text() for path in found if path.suffix in CODE}


def cited(text: str) -> set[int]:
    """Numbers of equations that a text cites: Eq. (10), Eqs. (6, 7), Eqs. (9-11, 18)."""
    numbers: set[int] = set()
    for group in re.findall(r"\bEqs?\.\s\(([^)]*)\)", text):
        for part in group.split(","):
            first, _, last = part.strip().replace("–", "-").partition("-")
            numbers |= set(range(int(first), int(last or first) + 1))
    return numbers


def defines(source: str, name: str) -> bool:
    """Whether C++, CUDA or Python source defines a function, `A::b` being the b of class A."""
    owner, _, function = name.rpartition("::")
    if re.search(rf"^\s*(def|class) {function}\b", source, re.MULTILINE):
        return not owner
    owned = rf"\b{owner}::{function}\(" if owner else rf"(?<![:.>\w]){function}\("
    line = rf"^(?!\s*(return|if|else|for|while|throw|//)\b)[^=;\n]*{owned}"
    if re.search(line, source, re.MULTILINE):
        return True
    held = rf"^(struct|class) {owner}\b.*?^ [^=;\n]* {function}\([^;\n]*\{{"  # in the class itself
    return bool(owner) and re.search(held, source, re.MULTILINE | re.DOTALL) is not None


def test_every_equation_of_the_article_has_an_entry():
    assert sorted(ENTRIES) == list(range(1, 30))
    for number, text in ENTRIES.items():
        written_out = re.search(r"^```\n.+?^```$", text, re.MULTILINE | re.DOTALL)
        assert written_out, f"Eq. ({number}) is not written out"
        assert HELD_BY.search(text), f"Eq. ({number}) names no function"


@pytest.mark.parametrize("number", range(1, 30))
def test_the_functions_of_an_equation_are_where_its_entry_says(number: int):
    for name, file in HELD_BY.findall(ENTRIES[number]):
        assert (CHECKOUT / file).is_file(), f"docs/method.md, Eq. ({number}): {file} is not there"
        found = defines((CHECKOUT / file).read_text(), name)
        assert found, f"docs/method.md, Eq. ({number}): {file} does not define {name}"


def test_the_definitions_of_functions_are_told_from_their_calls():
    source = """
struct Ball {
  double plane_mm() const { return 10; }
};
void Tracker::fit(const Frame& frame) {
  place(frame);
  return solve(frame, other(frame));
}
__global__ void __launch_bounds__(32 * warps) fit_kernel(Fits fits) {
"""
    for name in ("Tracker::fit", "fit_kernel", "Ball::plane_mm"):
        assert defines(source, name), name
    for name in ("solve", "other", "Tracker::place", "fit_face", "Ball::fit", "Other::plane_mm"):
        assert not defines(source, name), name


def test_other_names_in_the_method_are_in_the_code():
    everything = "\n".join(sources().values())
    for name in set(re.findall(r"`([A-Za-z_]\w{3,})`", METHOD)):
        assert re.search(rf"\b{name}\b", everything), f"docs/method.md names {name}, which is not in the code"
    for name, file in set(HELD_BY.findall(METHOD)):
        assert defines((CHECKOUT / file).read_text(), name), f"docs/method.md names {name} in {file}"


def test_every_equation_that_the_code_cites_is_one_of_the_articles():
    citations = {path: cited(text) for path, text in sources().items()}
    assert sum(map(len, citations.values())) > 50
    for path, numbers in citations.items():
        assert numbers <= set(ENTRIES), f"{path} cites {sorted(numbers - set(ENTRIES))}"
        loose = re.findall(r"\b[Ee]q(?:s|uations?)?\.? ?\d+", path.read_text())
        assert not loose, f"{path} cites {loose}; expected the form Eq. (10)"


def test_citations_are_read():
    assert cited("Eqs. (9-11, 18), Eq. (5), and Eqs. (6, 7)") == {5, 6, 7, 9, 10, 11, 18}
