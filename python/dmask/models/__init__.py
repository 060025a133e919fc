"""The models that the package carries: face.dmm, eyelid.dmm, the nets; manifest.json lists their sha256."""

from __future__ import annotations

import json
from pathlib import Path

from dmask.environment import MODELS_DIR, sha256
from dmask.errors import Error

MANIFEST = "manifest.json"


def path(name: str, folder: Path = MODELS_DIR) -> Path:
    """Path of a shipped model. Raises Error if it is not there."""
    file = folder / name
    if not file.is_file():
        raise Error(f"{file}: got no such model, expected it beside {MANIFEST}; install the package again")
    return file


def manifest(folder: Path = MODELS_DIR) -> dict[str, dict[str, str]]:
    """sha256, licence and build command by file name."""
    entries: dict[str, dict[str, str]] = json.loads(path(MANIFEST, folder).read_text("utf-8"))["files"]
    return entries


def check(name: str, folder: Path = MODELS_DIR) -> Path:
    """Path of a shipped model whose bytes are those of the manifest. Raises Error otherwise."""
    file, entries = path(name, folder), manifest(folder)
    if name not in entries:
        raise Error(
            f"{name}: not in {MANIFEST}, expected one of {', '.join(entries)}; record it with its licence"
        )
    got, expected = sha256(file), entries[name]["sha256"]
    if got != expected:
        raise Error(f"{file}: got sha256 {got[:12]}, expected {expected[:12]}; install the package again")
    return file


def record(name: str, licence: str, command: str, folder: Path = MODELS_DIR) -> None:
    """Enter a model just made into the manifest of `folder`, leaving the other entries alone."""
    entries = manifest(folder) if (folder / MANIFEST).exists() else {}
    entries[name] = {"sha256": sha256(path(name, folder)), "licence": licence, "command": command}
    text = json.dumps({"files": dict(sorted(entries.items()))}, indent=2) + "\n"
    temporary = folder / f".{MANIFEST}.part"
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(folder / MANIFEST)
