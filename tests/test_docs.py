"""The documentation is true to the code: equations and their functions, links, what runs as printed."""

from __future__ import annotations

import argparse
import contextlib
import io
import re
import shlex
from fnmatch import fnmatch
from pathlib import Path

import cv2
import pytest
from conftest import CHECKOUT
from traces import traces

from dmask import cli
from dmask.commands.parser import add_commands
from dmask.io.tables import FRAME_COLUMNS
from dmask.measure import registry
from dmask.measure.clinical import lids
from dmask.measure.measured import load_measures
from dmask.measure.recorded import Recording

DOCUMENTS = sorted(
    path
    for part in ("*", ".github/*", "docs/*", "trt_engines/*", "tests/data/*", "python/**/*")
    for path in CHECKOUT.glob(f"{part}.md")
)
FILES = [f"/{path.relative_to(CHECKOUT).as_posix()}" for path in CHECKOUT.rglob("*") if path.is_file()]
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
    for word in set(re.findall(r"`([A-Za-z_]\w{3,})`", METHOD)):
        assert re.search(rf"\b{word}\b", everything), f"docs/method.md names {word}, which is not in the code"


def test_every_equation_that_the_code_cites_is_one_of_the_articles():
    citations = {path: cited(text) for path, text in sources().items()}
    assert sum(map(len, citations.values())) > 50
    for path, numbers in citations.items():
        assert numbers <= set(ENTRIES), f"{path} cites {sorted(numbers - set(ENTRIES))}"
        loose = re.findall(r"\b[Ee]q(?:s|uations?)?\.? ?\d+", path.read_text())
        assert not loose, f"{path} cites {loose}; expected the form Eq. (10)"


def test_citations_are_read():
    assert cited("Eqs. (9-11, 18), Eq. (5), and Eqs. (6, 7)") == {5, 6, 7, 9, 10, 11, 18}


def name(path: Path) -> str:
    return path.relative_to(CHECKOUT).as_posix()


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_links_lead_somewhere(document: Path):
    text = document.read_text()
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("https://"):
            continue
        file, _, heading = target.partition("#")
        there = document.parent / file if file else document
        top = CHECKOUT / Path(name(there.resolve())).parts[0]
        if not top.exists() and not (CHECKOUT / ".git").exists():
            continue  # the source distribution leaves the workshop's folders out
        assert there.exists(), f"{name(document)} links to {target}"
        assert not heading or heading in anchors(there.read_text()), f"{name(document)} links to {target}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_files_and_what_is_in_them_are_where_a_document_says(document: Path):
    text = document.read_text()
    for word, file in HELD_BY.findall(text):
        assert (CHECKOUT / file).is_file(), f"{name(document)} names {file}"
        there = re.search(rf"\b{word.split('::')[-1]}\b", (CHECKOUT / file).read_text())
        assert there, f"{name(document)} names {word} in {file}"
    for file in set(re.findall(r"`([\w./*-]+\.(?:cc|hpp|h|cu|c|py|pyi|toml|sh))`", text)):
        assert any(path.endswith(f"/{file}") or fnmatch(path, f"*/{file}") for path in FILES), (
            f"{name(document)} names {file}"
        )


def anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(text: str) -> list[str]:
    """What a text says to type that begins with `dmask`, from its blocks and its lines."""
    blocks = "\n".join(re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    typed = re.findall(r"^(?:.*&& )?(dmask [a-z].*)$", blocks, re.MULTILINE)
    typed += re.findall(r"`(dmask [a-z][^`]*)`", re.sub(r"\s*\n\s*", " ", text))
    return [re.split(" #| && ", command)[0] for command in typed if not re.search(r"[|…\[;,]", command)]


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_commands_are_understood(document: Path):
    for command in commands(document.read_text()):
        parser, said = argparse.ArgumentParser(prog="dmask"), io.StringIO()
        add_commands(parser, cli.COMMANDS, "COMMAND")
        try:
            with contextlib.redirect_stderr(said):
                parser.parse_args(shlex.split(command)[1:])
        except SystemExit:  # a command, or an option, may be named without its arguments
            named_only = re.search("arguments are required|expected one argument", said.getvalue())
            assert named_only, f"{name(document)}: {command}: {said.getvalue()}"
        except ModuleNotFoundError as missing:  # of the extras
            assert missing.name in ("torch", "onnx", "scipy"), command


def test_commands_are_found_in_documents():
    text = "Do `dmask run A\n  -o B`, `dmask eval x|y`, `dmask run A; dmask run B`.\n"
    text += "```\npip install . && dmask demo   # first\n```\n"
    assert commands(text) == ["dmask demo  ", "dmask run A -o B"]


def test_the_python_of_the_readme_runs_as_printed(tmp_path, monkeypatch, capsys):
    text = (CHECKOUT / "README.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1
    monkeypatch.chdir(tmp_path)
    assert cli.main(["demo", "--seconds", "0.5"]) == 0  # what the README does before
    capsys.readouterr()
    exec(compile(blocks[0], "README.md", "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 15
    assert all(abs(float(value)) < 60 for value in printed[-1].split())
    assert cv2.imread("mask.png").shape == (720, 720, 3)


def test_the_citation_has_the_version_of_the_package():
    (version,) = re.findall(r"^version: (.*)$", (CHECKOUT / "CITATION.cff").read_text(), re.MULTILINE)
    assert f'version = "{version}"' in (CHECKOUT / "pyproject.toml").read_text()
    assert f"project(dmask VERSION {version} " in (CHECKOUT / "CMakeLists.txt").read_text()


def test_every_column_of_frames_csv_is_documented():
    text = (CHECKOUT / "docs" / "interfaces.md").read_text()
    table = text[text.index("### `frames.csv`") : text.index("### A folder")]
    named = set(re.findall(r"`(\w+)`", table))
    assert {name for name in FRAME_COLUMNS if not name.startswith("os_")} <= named


def test_the_measure_that_contributing_adds_is_a_new_one_and_measures(monkeypatch):
    load_measures()
    text = (CHECKOUT / "CONTRIBUTING.md").read_text()
    code = re.search(r"```python\n(@measure.*?)```", text, re.DOTALL)
    assert code and "python/dmask/report/words.py" in text
    monkeypatch.setattr(registry, "MEASURES", dict(registry.MEASURES))
    names = dict(vars(lids))
    exec(code[1], names)
    (added,) = set(names) - set(vars(lids))
    (found,) = names[added](Recording(traces(), {"profile": "clinical", "hvid_mm": 11.71}))
    assert found.estimate.value == pytest.approx(0.0, abs=0.01)


def test_the_extension_that_pip_built_is_told_where_openvino_is():
    """It looks for it beside itself, where a source tree has none."""
    build = (CHECKOUT / "cpp/bindings/CMakeLists.txt").read_text()
    blocks = re.findall(r"```\n(.*?)```", (CHECKOUT / "CONTRIBUTING.md").read_text(), re.DOTALL)
    taken = [one for one in blocks if "site-packages/dmask/_core" in one]
    assert 'INSTALL_RPATH "$ORIGIN/../openvino/libs"' in build
    assert taken and all("LD_LIBRARY_PATH" in one and "site-packages/openvino/libs" in one for one in taken)
