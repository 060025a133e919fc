"""manifest.toml: the nets that engines are built from."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx

from dmask.environment import MODELS_DIR, sha256
from dmask.errors import Error
from dmask.io.atomic import atomic_file

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PATH = Path(__file__).with_name("manifest.toml")


@dataclass(frozen=True)
class Net:
    """One ONNX file; shapes are as in the manifest, -1 where they vary."""

    name: str
    weights: str  # research | open | all: used with either
    file: str  # relative to the models folder
    sha256: str
    normalisation: str
    input: dict[str, Any]  # name, min, opt, max
    outputs: list[dict[str, Any]]  # name, shape

    @property
    def label(self) -> str:
        return self.name if self.weights == "all" else f"{self.weights}/{self.name}"


def read(path: Path = PATH) -> list[Net]:
    return [Net(**entry) for entry in tomllib.loads(path.read_text(encoding="utf-8"))["net"]]


def chosen(weights: str) -> list[Net]:
    """The nets of `research`, `open` or `all` weights; the face detector belongs to each."""
    return [net for net in read() if weights == "all" or net.weights in (weights, "all")]


def load_onnx(net: Net, models_dir: Path = MODELS_DIR) -> onnx.ModelProto:
    """The net's ONNX model. Raises Error where the file is missing or is not what the manifest says."""
    file = models_dir / net.file
    if not file.is_file():
        raise Error(
            f"{file}: got no such model, expected the {net.name} of manifest.toml; install dmask again"
        )
    if (got := sha256(file)) != net.sha256:
        raise Error(
            f"{file}: got sha256 {got[:12]}, expected {net.sha256[:12]}; after a training run "
            "dmask engines build --write-manifest"
        )
    model = onnx.load(str(file))
    check_signature(net, model)
    return model


def check_signature(net: Net, model: onnx.ModelProto) -> None:
    """Raises Error unless names and shapes of `model` are those of the manifest."""
    expected = {net.input["name"]: net.input["opt"]} | {out["name"]: out["shape"] for out in net.outputs}
    got = {value.name: _shape(value) for value in (*model.graph.input, *model.graph.output)}
    if set(got) != set(expected):
        raise Error(
            f"{net.file}: got the tensors {', '.join(got)}, expected {', '.join(expected)}; correct "
            f"{PATH.name}"
        )
    for name, shape in expected.items():
        same = len(got[name]) == len(shape) and all(
            a == b or -1 in (a, b) for a, b in zip(got[name], shape, strict=True)
        )
        if not same and net.weights != "all":  # YuNet's file has one size, its engine many
            raise Error(f"{net.file}: tensor {name} is {got[name]}, expected {shape}; correct {PATH.name}")


def write_hashes(path: Path = PATH, models_dir: Path = MODELS_DIR) -> list[str]:
    """Takes over the hashes of the files there now; returns the labels of the nets whose hash changed."""
    text, changed = path.read_text(encoding="utf-8"), []
    for net in read(path):
        check_signature(net, onnx.load(str(models_dir / net.file)))
        now = sha256(models_dir / net.file)
        if now != net.sha256:
            changed.append(net.label)
            entry = re.compile(rf'(^file = "{re.escape(net.file)}"\nsha256 = ")[0-9a-f]*(")', re.MULTILINE)
            text, count = entry.subn(rf"\g<1>{now}\g<2>", text)
            if count != 1:
                raise Error(
                    f"{path}: got {count} lines sha256 below file = {net.file}, expected one; correct it"
                )
    with atomic_file(path, overwrite=True) as partial:
        partial.write_text(text, encoding="utf-8")
    return changed


def _shape(value: onnx.ValueInfoProto) -> list[int]:
    return [d.dim_value if d.HasField("dim_value") else -1 for d in value.type.tensor_type.shape.dim]
