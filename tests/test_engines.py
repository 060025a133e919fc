"""Engines of the shipped nets: names, manifest, f16 conversion, and builds where TensorRT is installed."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import CHECKOUT

from dmask import cli, models
from dmask.engines import names
from dmask.environment import CLOSE_UP_MODELS, MODELS_DIR, sha256
from dmask.errors import Error


@pytest.fixture(scope="session")
def tools():
    """The modules that build engines, by name."""
    pytest.importorskip("onnx", reason="engines are made with onnx: pip install '.[tensorrt]'")
    from dmask.engines import build, emulate, gemm, half, half_check, manifest

    here = {
        "build": build,
        "emulate": emulate,
        "gemm": gemm,
        "half": half,
        "check": half_check,
        "manifest": manifest,
    }
    return type("Tools", (), here)


@pytest.fixture(scope="session")
def tensorrt():
    if not any(importlib.util.find_spec(name) for name in ("tensorrt", "tensorrt_rtx")):
        pytest.skip("neither tensorrt nor tensorrt_rtx is installed: pip install '.[tensorrt]'")


def build_engines(arguments: list[str]) -> int:
    return cli.main(["engines", "build", *arguments])


def key(**other: str) -> names.EngineKey:
    parts = {
        "model": "iris",
        "sha256": "a" * 64,
        "precision": "f16",
        "flavour": "tensorrt",
        "version": "11.2.0.7",
        "gpu": "nvidia_a2_sm86",
    }
    return names.EngineKey(**(parts | other))


# --- names -------------------------------------------------------------------------------------------------


def test_an_engine_is_called_after_all_that_it_depends_on():
    assert key().file_name == "iris-aaaaaaaaaaaaaaaa-f16-r1-tensorrt-11.2.0.7-nvidia_a2_sm86.engine"


@pytest.mark.parametrize(
    ("gpu", "part"),
    [
        (("NVIDIA GeForce RTX 4090", 8, 9), "nvidia_geforce_rtx_4090_sm89"),
        (("Tesla T4", 7, 5), "tesla_t4_sm75"),
        (("  NVIDIA  RTX(TM)  A2000 ", 8, 6), "nvidia_rtx_tm_a2000_sm86"),
        (("Orin (nvgpu)", 8, 7), "orin_nvgpu_sm87"),
        (("Grafik-Prozessor Ü", 12, 0), "grafik_prozessor_sm120"),
    ],
)
def test_an_engine_of_tensorrt_is_for_one_gpu_and_one_of_rtx_for_many(gpu, part):
    assert names.gpu_part("tensorrt", *gpu) == part
    assert names.gpu_part("tensorrt_rtx", *gpu) == ("sm75" if gpu[1:] == (7, 5) else "portable")
    assert (names.TURING, names.PORTABLE) == ("sm75", "portable")


def test_engines_are_kept_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.delenv("DMASK_ENGINES", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert str(names.folder()) == f"{tmp_path}/home/.cache/dmask/engines"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert str(names.folder()) == f"{tmp_path}/cache/dmask/engines"
    monkeypatch.setenv("DMASK_ENGINES", str(tmp_path))
    assert names.folder() == tmp_path


@pytest.mark.parametrize(
    "other",
    [
        {"sha256": "b" * 64},
        {"precision": "f32"},
        {"flavour": "tensorrt_rtx"},
        {"version": "11.3.0.1"},
        {"gpu": "x"},
    ],
)
def test_whatever_an_engine_depends_on_changes_its_name(other):
    assert key(**other).file_name != key().file_name


# --- manifest ----------------------------------------------------------------------------------------------


def test_the_manifest_names_every_shipped_net_as_it_is_now(tools):
    nets = tools.manifest.read()
    shipped = {path.relative_to(MODELS_DIR).as_posix() for path in MODELS_DIR.rglob("*.onnx")}
    assert {net.file for net in nets} == shipped - set(CLOSE_UP_MODELS)  # these run on the CPU everywhere
    for net in nets:
        path = MODELS_DIR / net.file
        assert net.sha256 == sha256(path), f"{net.file}: dmask engines build --write-manifest"
        assert net.sha256 == models.manifest(path.parent)[path.name]["sha256"]
        tools.manifest.load_onnx(net)  # names and shapes


def test_the_manifest_takes_over_the_hash_of_a_new_net_and_nothing_else(tools, tmp_path):
    stale = tmp_path / "manifest.toml"
    text = tools.manifest.PATH.read_text(encoding="utf-8")
    old = tools.manifest.read()[2].sha256
    stale.write_text(text.replace(old, "0" * 64), encoding="utf-8")
    assert tools.manifest.write_hashes(stale) == ["research/iris"]
    assert stale.read_text(encoding="utf-8") == text
    assert tools.manifest.write_hashes(stale) == []


def test_a_net_that_is_not_the_manifests_is_refused(tools, tmp_path):
    net = tools.manifest.read()[2]
    (tmp_path / net.file).write_bytes(b"trained again")
    with pytest.raises(Error, match="iris.onnx: got sha256 .* expected .*--write-manifest"):
        tools.manifest.load_onnx(net, tmp_path)
    with pytest.raises(Error, match="got no such model"):
        tools.manifest.load_onnx(net, tmp_path / "nowhere")


def test_other_tensors_than_the_manifests_are_named(tools):
    import onnx

    iris, lines = tools.manifest.read()[2:4]
    with pytest.raises(Error, match="got the tensors features, edges, presence, expected features, heatmaps"):
        tools.manifest.check_signature(iris, onnx.load(str(MODELS_DIR / lines.file)))


# --- f16 ---------------------------------------------------------------------------------------------------


def nets(tools) -> list:
    return tools.manifest.read()


@pytest.mark.parametrize("index", range(9))
def test_an_f16_net_keeps_its_signature_and_computes_in_f16(tools, index):
    from onnx import TensorProto

    model = tools.manifest.load_onnx(nets(tools)[index])
    halved = tools.half.to_f16(model)
    assert list(halved.graph.input) == list(model.graph.input)
    assert list(halved.graph.output) == list(model.graph.output)
    types = {constant.name: constant.data_type for constant in halved.graph.initializer}
    convolutions = [node for node in halved.graph.node if node.op_type == "Conv"]
    in_f16 = [node for node in convolutions if types.get(node.input[1]) == TensorProto.FLOAT16]
    in_f32 = {"lines": 4, "face_detection_yunet_2023mar": 0}.get(nets(tools)[index].name, 2)  # heads
    assert len(in_f16) == len(convolutions) - in_f32
    assert not any(
        node.op_type == "Softmax" and node.input[0].endswith("_as_f16") for node in halved.graph.node
    )


def test_an_output_computed_in_f16_leaves_the_net_in_f32(tools):
    from onnx import TensorProto, helper, numpy_helper

    weights = numpy_helper.from_array(np.ones((1, 1, 1, 1), np.float32), "weights")
    nodes = [  # y is an output and goes on inside
        helper.make_node("Conv", ["x", "weights"], ["y"], name="conv"),
        helper.make_node("Relu", ["y"], ["z"], name="relu"),
    ]
    tensors = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, 2, 2]) for name in "xyz"]
    graph = helper.make_graph(nodes, "both", tensors[:1], tensors[1:], [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    halved = tools.half.to_f16(model)
    x = np.float32([[[[0.1, -0.1], [1.0, -1.0]]]])
    outputs = tools.emulate.run(halved, {"x": x})
    assert outputs["y"].dtype == outputs["z"].dtype == np.float32
    rounded = x.astype(np.float16).astype(np.float32)
    assert (outputs["y"] == rounded).all() and (outputs["z"] == np.maximum(rounded, 0)).all()
    assert sum(node.op_type == "Cast" for node in halved.graph.node) == 3


def test_the_emulation_computes_what_openvino_computes_in_f32(tools):
    import openvino

    net = nets(tools)[1]
    picture = np.random.default_rng(0).random((2, 3, 128, 160), np.float32)
    core = openvino.Core()
    compiled = core.compile_model(str(MODELS_DIR / net.file), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    want, got = compiled(picture), tools.emulate.run(tools.manifest.load_onnx(net), {"image": picture})
    for name in ("heatmaps", "visibility", "features"):
        assert np.abs(want[name] - got[name]).max() < 1e-3 * np.abs(want[name]).max()


def test_f16_moves_no_point_by_a_fifth_of_a_pixel(tools):
    check = tools.check.Check(MODELS_DIR)
    for net in nets(tools):
        model = tools.manifest.load_onnx(net)
        moved_px = check.moved_px(net, model, tools.half.to_f16(model))
        assert 0 < moved_px < tools.check.MOST_PX, net.label


def test_the_check_sees_a_net_that_f16_would_spoil(tools):
    from onnx import numpy_helper

    net = nets(tools)[0]
    model = tools.manifest.load_onnx(net)
    spoilt = tools.half.to_f16(model)
    weights = next(c for c in spoilt.graph.initializer if c.name == "onnx::Conv_637_f16")
    values = numpy_helper.to_array(weights)
    weights.CopyFrom(numpy_helper.from_array((values * np.float16(0.9)), weights.name))
    assert tools.check.Check(MODELS_DIR).moved_px(net, model, spoilt) > tools.check.MOST_PX


def test_the_check_needs_no_tensorrt_and_fails_where_a_net_is_spoilt(tools, monkeypatch, capsys):
    moved_px = dict.fromkeys(["open/face68", "open/eyelid", "open/iris", "open/lines"], 0.1)
    moved_px["face_detection_yunet_2023mar"] = float("nan")
    monkeypatch.setattr(tools.check.Check, "moved_px", lambda self, net, *_: moved_px[net.label])
    assert cli.main(["engines", "check", "--weights", "open"]) == 1
    told = capsys.readouterr()
    assert told.out.count("0.100 px at most") == 4
    assert "f16 moves points of face_detection_yunet_2023mar by more than 0.2 px" in told.err


def test_the_script_of_the_checkout_is_the_command():
    script = [sys.executable, str(CHECKOUT / "trt_engines" / "build_engines.py"), "--help"]
    told = subprocess.run(script, capture_output=True, text=True, check=True).stdout
    assert told.startswith("usage: ") and "engines build" in told and "--write-manifest" in told


# --- builds ------------------------------------------------------------------------------------------------


def test_every_net_is_built_in_both_precisions_and_found_again(tools, tensorrt, tmp_path, capsys):
    log = tmp_path / "log.json"
    call = ["--weights", "all", "--precision", "all", "--cache", str(tmp_path / "c"), "--json", str(log)]
    assert build_engines(call) == 0
    first = json.loads(log.read_text())
    assert len(first["engines"]) == 18 and not any(built["cached"] for built in first["engines"])
    assert all(built["layers"] > 0 and built["megabytes"] > 0 for built in first["engines"])
    files = {path.name for path in (tmp_path / "c").iterdir()}
    assert files == {built["file"] for built in first["engines"]}  # and nothing half-written
    capsys.readouterr()
    assert build_engines(call) == 0
    assert all(built["cached"] for built in json.loads(log.read_text())["engines"])
    assert capsys.readouterr().out.count("from the cache") == 18


def test_every_net_is_built_for_turing_too(tools, tensorrt, tmp_path):
    if importlib.util.find_spec("tensorrt") is not None:
        pytest.skip("tensorrt builds for this machine's GPU alone")
    call = ["--precision", "all", "--target", names.TURING, "--cache", str(tmp_path)]
    assert build_engines(call) == 0
    files = [path.name for path in tmp_path.iterdir()]
    assert len(files) == 10 and all(name.endswith("-sm75.engine") for name in files)


def test_a_gemm_as_products_and_a_sum_is_the_same(tools):
    net = nets(tools)[3]
    model = tools.manifest.load_onnx(net)
    features = np.random.default_rng(0).random((2, 32, 32, 40), np.float32)
    other = tools.gemm.without_gemm(model)
    assert "Gemm" not in {node.op_type for node in other.graph.node}
    want, got = (tools.emulate.run(m, {"features": features})["presence"] for m in (model, other))
    assert got.shape == want.shape and np.allclose(got, want, rtol=1e-5, atol=1e-5)


def test_check_only_keeps_nothing(tools, tensorrt, tmp_path):
    call = ["--weights", "open", "--precision", "f32", "--cache", str(tmp_path / "c"), "--check-only"]
    assert build_engines(call) == 0
    assert not (tmp_path / "c").exists()


def test_a_build_that_fails_leaves_no_file(tools, tensorrt, tmp_path, monkeypatch):
    builder, net = tools.build.Builder(), nets(tools)[2]
    monkeypatch.setattr(tools.build.half, "to_f16", unsupported)
    monkeypatch.setattr(tools.build.half_check.Check, "moved_px", lambda *_: 0.0)
    check = tools.check.Check(MODELS_DIR)
    with pytest.raises(Error, match="node 'odd', operator Det, tensor 'out'"):
        tools.build.build_one(builder, net, "f16", tmp_path, check, MODELS_DIR)
    assert list(tmp_path.iterdir()) == []


def unsupported(_model):
    """A model with an operator that TensorRT does not know."""
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node("Relu", ["features"], ["inner"], name="first"),
        helper.make_node("Det", ["inner"], ["out"], name="odd"),
    ]
    tensors = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("features", [1, 4, 4]), ("out", [1]))
    ]
    graph = helper.make_graph(nodes, "odd", tensors[:1], tensors[1:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


def test_a_net_that_f16_spoils_is_not_built(tools, tensorrt, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tools.build.half_check.Check, "moved_px", lambda *_: 0.3)
    assert build_engines(["--weights", "open", "--precision", "f16", "--cache", str(tmp_path)]) == 1
    assert "f16 moves a point by 0.30 px, expected at most 0.2" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("gpu", "arguments", "warned"),
    [
        (("NVIDIA H100 80GB HBM3", 9, 0), [], True),
        (("NVIDIA H100 80GB HBM3", 9, 0), ["--target", "portable"], False),
        (("NVIDIA A10", 8, 6), [], False),
        (None, [], False),
    ],
)
def test_a_card_that_cannot_run_the_engines_is_named(tools, monkeypatch, capsys, gpu, arguments, warned):
    rtx = SimpleNamespace(__version__="1.7.1.116")
    monkeypatch.setattr(tools.build, "import_tensorrt", lambda: ("tensorrt_rtx", rtx))
    monkeypatch.setattr(tools.build, "_logger", lambda *_: None)
    monkeypatch.setattr(tools.build.manifest, "chosen", lambda _weights: [])
    monkeypatch.setattr(names, "this_gpu", lambda: gpu)
    assert build_engines(["--check-only", *arguments]) == 0
    said = capsys.readouterr().err
    assert said.count("got compute capability 9.0") == warned and bool(said) == warned


def test_no_tensorrt_at_all_is_a_sentence(tools, monkeypatch, capsys):
    for name in tools.build.FLAVOURS:
        monkeypatch.setitem(sys.modules, name, None)
    assert build_engines([]) == 1
    assert "got neither tensorrt nor tensorrt_rtx; in a checkout" in capsys.readouterr().err
