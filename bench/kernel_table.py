"""Registers, spills and shared memory of every CUDA kernel, as the compiler says (needs nvcc, no GPU).

    python bench/kernel_table.py

Exits with 1 where a kernel spills registers to memory.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
ARCHITECTURES = (75, 80, 86, 90)


class Kernel(NamedTuple):
    file: str
    name: str
    registers: dict[int, int]  # by architecture
    spill_bytes: int  # stores and loads, the worst architecture
    stack_bytes: int
    shared_bytes: int


def compile_report(source: Path) -> str:
    """What ptxas says of every kernel in the file, for each architecture."""
    codes = [f"-gencode=arch=compute_{a},code=sm_{a}" for a in ARCHITECTURES]
    command = ["nvcc", "-std=c++20", *codes, "--expt-relaxed-constexpr", "-Xptxas", "-v"]
    command += ["-I", str(ROOT / "cpp" / "src"), "-c", str(source), "-o", "/dev/null"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"nvcc failed on {source.name}:\n{done.stderr}")
    return done.stderr


def plain_name(mangled: str) -> str:
    """The kernel's own name: the last of a mangled name's length-prefixed parts."""
    at, name = 2, mangled
    while match := re.match(r"N?(\d+)", mangled[at:]):
        start = at + match.end()
        at = start + int(match[1])
        name = mangled[start:at]
    return name


def kernels_of(source: Path) -> list[Kernel]:
    found: dict[str, Kernel] = {}
    name, architecture, stack, spills = "", 0, 0, 0
    for line in compile_report(source).splitlines():
        if match := re.search(r"Compiling entry function '(\S+)' for 'sm_(\d+)'", line):
            name, architecture = plain_name(match[1]), int(match[2])
        elif match := re.search(
            r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", line
        ):
            stack, spills = int(match[1]), int(match[2]) + int(match[3])
        elif match := re.search(r"Used (\d+) registers", line):
            shared = re.search(r"(\d+) bytes smem", line)
            old = found.get(name, Kernel(source.name, name, {}, 0, 0, 0))
            found[name] = Kernel(
                source.name,
                name,
                old.registers | {architecture: int(match[1])},
                max(old.spill_bytes, spills),
                max(old.stack_bytes, stack),
                max(old.shared_bytes, int(shared[1]) if shared else 0),
            )
    return sorted(found.values())


def table(kernels: list[Kernel]) -> str:
    rows = [["file", "kernel", *(f"sm_{a}" for a in ARCHITECTURES), "spills B", "stack B", "shared B"]]
    for k in kernels:
        registers = [str(k.registers.get(a, "")) for a in ARCHITECTURES]
        rows.append([k.file, k.name, *registers, str(k.spill_bytes), str(k.stack_bytes), str(k.shared_bytes)])
    rows.insert(1, ["---", "---"] + ["---:"] * (len(rows[0]) - 2))
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def all_kernels(folder: Path = ROOT / "cpp" / "src" / "cuda") -> list[Kernel]:
    return [kernel for source in sorted(folder.rglob("*.cu")) for kernel in kernels_of(source)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.parse_args()
    kernels = all_kernels()
    print(table(kernels))
    spilling = [kernel.name for kernel in kernels if kernel.spill_bytes]
    if spilling:
        print(f"spilling registers: {', '.join(spilling)}", file=sys.stderr)
    return 1 if spilling else 0


if __name__ == "__main__":
    sys.exit(main())
