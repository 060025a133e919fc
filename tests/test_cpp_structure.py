"""The parts of the C++ code, and which of them may include which.

python tests/test_cpp_structure.py prints the tree with its arrows.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CPP = ROOT / "cpp"

# Each part, from the ground up, with the parts that it includes. The core ends with the pipeline: it knows
# no GPU.
ARROWS = {
    "geometry": set(),
    "models": {"geometry"},
    "render": {"geometry"},
    "detect": {"geometry"},
    "fit": {"geometry", "models", "detect"},
    "pipeline": {"geometry", "models", "render", "detect", "fit"},
    "cuda": {"geometry", "models", "render", "detect", "fit", "pipeline"},
    "capi": {"geometry", "detect", "pipeline", "cuda"},
    "bindings": {"geometry", "render", "detect", "fit", "pipeline", "cuda"},
}
# Inside the CUDA part; "." is what lies in its folder itself.
CUDA_ARROWS = {
    "runtime": set(),
    "tensorrt": {"runtime"},
    "looks": {"runtime", "tensorrt", "."},
    "fits": {"runtime"},
    "mask": {"runtime", "."},
    ".": {"runtime", "tensorrt", "fits"},
}
# Headers of others, by the files that may include them.
OUTSIDE = {
    r"openvino/": r"src/detect/openvino_net\.cc",
    r"cuda\w*\.h": r"src/cuda/(runtime|looks|fits|mask|tensorrt)/.*",
    r"NvInfer.*": r"src/cuda/tensorrt/.*",
    r"pybind11/|Python\.h": r"bindings/.*",
    r"dmask/dmask\.h": r"src/capi/.*",
}
QUOTED = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]', re.MULTILINE)
# Any other way to bring a file in: after a comment, by a macro, over two lines, by a path that climbs.
DISGUISED = re.compile(
    r'^(?!\s*#include\s+["<](?!\.)(?:(?!\.\.)[^">])+[">]).*#\s*(?:include|import)', re.MULTILINE
)
KINDS = {".cc", ".hpp", ".cu", ".h"}


def sources() -> list[Path]:
    folders = [CPP / "src", CPP / "bindings"]
    return sorted(f for folder in folders for f in folder.rglob("*") if f.suffix in KINDS)


def includes(source: Path) -> list[str]:
    return INCLUDE.findall(source.read_text())


def part_of(source: Path) -> str:
    return source.relative_to(CPP / "src").parts[0] if source.is_relative_to(CPP / "src") else "bindings"


def arrows() -> dict[str, dict[str, set[str]]]:
    """Of each part the parts that it includes, and by which files."""
    found: dict[str, dict[str, set[str]]] = {part: {} for part in ARROWS}
    for source in sources():
        for name in includes(source):
            other = name.split("/")[0]
            if other in ARROWS and "/" in name and other != part_of(source):
                found[part_of(source)].setdefault(other, set()).add(str(source.relative_to(CPP)))
    return found


def folder_of(path: str) -> str:
    inside = path.split("/")[1:]
    return inside[0] if len(inside) > 1 else "."


def cuda_arrows() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {folder: set() for folder in CUDA_ARROWS}
    for source in sources():
        if part_of(source) != "cuda":
            continue
        own = folder_of(str(source.relative_to(CPP / "src")))
        found[own] |= {folder_of(name) for name in includes(source) if name.startswith("cuda/")} - {own}
    return found


def circles(graph: dict[str, set[str]]) -> set[str]:
    """Parts that are left when those without an arrow to another are taken away, again and again."""
    left = {part: set(others) for part, others in graph.items()}
    while ground := {part for part, others in left.items() if not others}:
        left = {part: others - ground for part, others in left.items() if part not in ground}
    return set(left)


def test_every_file_is_of_a_kind_that_is_looked_at():
    others = {"CMakeLists.txt", "sources.cmake", "install_openvino.cmake", "dmask.map", "core.map"}
    folders = [CPP / "src", CPP / "bindings"]
    files = [f for folder in folders for f in folder.rglob("*") if f.is_file() and f.suffix not in KINDS]
    assert {f.name for f in files} == others


def test_what_is_included_is_said_plainly():
    disguised = [
        f"{source.relative_to(CPP)}: {found[0].strip()}"
        for source in sources()
        for found in DISGUISED.finditer(source.read_text())
    ]
    assert disguised == []


def test_a_disguised_include_is_seen():
    for line in (
        '/* x */ #include "cuda/gpu.hpp"',
        "#include <../src/cuda/gpu.hpp>",
        '#include "fit/../cuda/gpu.hpp"',
        "#include GPU",
        '#include \\\n"cuda/gpu.hpp"',
        '#include_next "cuda/gpu.hpp"',
        '#import "cuda/gpu.hpp"',
        '#  include "cuda/gpu.hpp"',
    ):
        assert DISGUISED.search(f"int a;\n{line}\n"), line
    for line in (
        '#include "cuda/gpu.hpp"',
        "#include <vector>",
        '#include "fit/window.hpp"  // what it is for',
    ):
        assert not DISGUISED.search(line), line


def test_every_folder_is_a_part():
    folders = {f.name for f in (CPP / "src").iterdir() if f.is_dir()} | {"bindings"}
    assert folders == set(ARROWS)


def test_the_arrows_are_these_and_no_others():
    found = arrows()
    turned = {
        f"{part} -> {other}": sorted(files)
        for part, others in found.items()
        for other, files in others.items()
        if other not in ARROWS[part]
    }
    assert turned == {}
    unused = {part: ARROWS[part] - set(others) for part, others in found.items()}
    assert {part: gone for part, gone in unused.items() if gone} == {}, "take these arrows out of ARROWS"


def test_there_is_no_circle():
    assert circles(ARROWS) == set()
    assert circles(CUDA_ARROWS) == set()


def test_the_arrows_inside_the_cuda_part():
    assert cuda_arrows() == CUDA_ARROWS


def test_headers_of_others_stay_where_they_belong():
    astray = [
        f"{source.relative_to(CPP)} includes {name}"
        for source in sources()
        for name in includes(source)
        for header, files in OUTSIDE.items()
        if re.match(header, name) and not re.fullmatch(files, str(source.relative_to(CPP)))
    ]
    assert astray == []


def test_what_is_included_is_a_header_of_the_product_by_its_whole_path():
    # Tests, their twins of the kernels among them, are no part of the library.
    astray = [
        f"{source.relative_to(CPP)} includes {name}"
        for source in sources()
        for name in QUOTED.findall(source.read_text())
        if not any((root / name).is_file() for root in (CPP / "src", CPP / "include", CPP / "bindings"))
    ]
    assert astray == []


def print_tree() -> None:
    found = arrows()
    for part in ARROWS:
        count = sum(part_of(source) == part for source in sources())
        others = ", ".join(other for other in ARROWS if other in found[part])
        print(f"{part:9} {count:3} files  -> {others or 'none of the others'}")
        if part == "cuda":
            for folder, inner in cuda_arrows().items():
                print(f"    {folder:9} -> {', '.join(sorted(inner)) or 'none of the others'}")
    print(f"circles: {', '.join(sorted(circles({p: set(o) for p, o in found.items()}))) or 'none'}")


if __name__ == "__main__":
    print_tree()
