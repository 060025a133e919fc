"""Face recognisers that a TOML file describes: what is read, what is refused, and where a face is put."""

import importlib.metadata

import cv2
import numpy as np
import pytest
from conftest import background, face_points

from dmask.errors import WrongUse
from dmask.evaluate.linkage import description, recognisers
from dmask.evaluate.linkage.points import five_points

OWN = """
name = "mine"
source = "made here"
licence = "none"
file = "net.onnx"
runtime = "{runtime}"
[input]
name = "data"
output = "cells"
size_px = 16
channels = "{channels}"
{levels}
[align]
{align}
"""
TEMPLATE = [[4, 5], [12, 5], [8, 8], [5, 12], [11, 12]]
POINTS = f"points = {TEMPLATE}"
BOX = "box = [0.1, 0.4, 0.1, 0.2]"
LEVELS = "mean = 0.0\nscale = 1.0"


def own(folder, runtime="opencv", channels="RGB", levels=LEVELS, align=POINTS, net=True):
    """A description beside the net: means of 4 x 4 cells of each channel, 48 numbers."""
    if net:
        onnx = pytest.importorskip(
            "onnx", reason="the net of these tests is made with onnx: pip install onnx"
        )
        made = onnx.helper.make_graph(
            [
                onnx.helper.make_node(
                    "AveragePool", ["data"], ["means"], kernel_shape=[4, 4], strides=[4, 4]
                ),
                onnx.helper.make_node("Flatten", ["means"], ["cells"]),
            ],
            "cells",
            [onnx.helper.make_tensor_value_info("data", onnx.TensorProto.FLOAT, [1, 3, 16, 16])],
            [onnx.helper.make_tensor_value_info("cells", onnx.TensorProto.FLOAT, [1, 48])],
        )
        opset = [onnx.helper.make_opsetid("", 17)]
        onnx.save(onnx.helper.make_model(made, opset_imports=opset, ir_version=8), folder / "net.onnx")
    path = folder / "mine.toml"
    path.write_text(OWN.format(runtime=runtime, channels=channels, levels=levels, align=align))
    return path


def noise(height=240, width=320):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("runtime", ["opencv", "openvino"])
def test_an_own_net_embeds_what_is_in_its_place(tmp_path, runtime):
    recogniser = recognisers.read(str(own(tmp_path, runtime)))
    assert (recogniser.name, recogniser.licence, recogniser.source) == ("mine", "none", "made here")
    picture = background(320, 240)
    first, second = (recogniser.embed(picture, face_points()) for _ in range(2))
    assert first.shape == (48,) and first.dtype == np.float32
    assert np.linalg.norm(first) == pytest.approx(1, abs=1e-6) and (first == second).all()
    matrix = recognisers.similarity(five_points(face_points()), np.array(TEMPLATE))
    face = cv2.warpAffine(picture, matrix, (16, 16)).astype(float)  # shrunk at once: the picture is smooth
    cells = face.reshape(4, 4, 4, 4, 3).mean((1, 3))[..., ::-1].transpose(2, 0, 1).ravel()
    assert first == pytest.approx(cells / np.linalg.norm(cells), abs=0.01)


def test_both_runtimes_give_the_same(tmp_path):
    both = [recognisers.read(str(own(tmp_path, runtime))) for runtime in ("opencv", "openvino")]
    a, b = (one.embed(noise(), face_points()) for one in both)
    assert a == pytest.approx(b, abs=1e-6)


@pytest.mark.parametrize("align", [POINTS, BOX])
@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_a_face_is_found_again_wherever_it_is_and_however_large(tmp_path, align, scale):
    recogniser = recognisers.read(str(own(tmp_path, align=align, levels="mean = 128.0\nscale = 1.0")))
    patient = cv2.resize(noise(24, 32), (320, 240), interpolation=cv2.INTER_CUBIC)
    size = (round(320 * scale), round(240 * scale))
    grown = cv2.resize(patient, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    before, other = recogniser.embed(patient, face_points()), recogniser.embed(patient[::-1], face_points())
    assert before @ recogniser.embed(grown, face_points() * scale) > 0.97
    moved = np.roll(patient, (20, -30), axis=(0, 1))
    assert before @ recogniser.embed(moved, face_points((130, 140))) > 0.99
    assert before @ other < 0.5


def test_five_points_are_put_on_the_template_through_a_turn():
    align = description.Align(np.array(TEMPLATE, float), None, None)
    turn = np.array([[0.0, -2.0], [2.0, 0.0]])  # by a quarter, and twice as large
    points = np.zeros((68, 2))
    points[36:42], points[42:48] = align.points[0], align.points[1]
    points[30], points[48], points[54] = align.points[2:]
    matrix = recognisers.placed(points @ turn.T + [7, 9], align, 16)
    back = (five_points(points) @ turn.T + [7, 9]) @ matrix[:, :2].T + matrix[:, 2]
    assert back == pytest.approx(align.points)


def test_a_box_is_stretched_to_the_input():
    align = description.Align(None, (0.1, 0.4, 0.1, 0.2), None)
    points = face_points()
    matrix = recognisers.placed(points, align, 16)
    (left, top), (right, bottom) = points.min(0), points.max(0)
    width, height = right - left, bottom - top
    corners = np.array(
        [[left - 0.1 * width, top - 0.4 * height], [right + 0.1 * width, bottom + 0.2 * height]]
    )
    assert corners @ matrix[:, :2].T + matrix[:, 2] == pytest.approx(np.array([[0, 0], [16, 16.0]]))


def test_grey_levels_and_channels_are_as_described(tmp_path):
    blue = np.zeros((240, 320, 3), np.uint8)
    blue[..., 0] = 200
    seen = {}
    for channels in ("RGB", "BGR"):
        facts = description.describe(
            str(own(tmp_path, channels=channels, levels="mean = 100.0\nscale = 0.5"))
        )
        net = recognisers.aligned(lambda planes: planes, facts.input, facts.align)
        seen[channels] = net(blue, face_points())[0, :, 8, 8].tolist()
    assert seen == {"RGB": [-50, -50, 50], "BGR": [50, -50, -50]}
    facts = description.describe(str(own(tmp_path, levels="per_picture = true")))
    planes = recognisers.aligned(lambda planes: planes, facts.input, facts.align)(noise(), face_points())
    assert planes.mean() == pytest.approx(0, abs=1e-5) and planes.std() == pytest.approx(1, abs=1e-5)


def test_an_embedding_leaves_opencv_its_threads(tmp_path):
    recogniser = recognisers.read(str(own(tmp_path)))
    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    try:
        recogniser.embed(noise(), face_points())
        assert cv2.getNumThreads() == 2
    finally:
        cv2.setNumThreads(before)


def test_points_of_no_face_are_embedded_and_unknown_ones_refused(tmp_path):
    recogniser = recognisers.read(str(own(tmp_path, align=BOX, levels="mean = 10.0\nscale = 1.0")))
    for points in (np.full((68, 2), 50.0), np.full((68, 2), -1e6), face_points() * 1000):
        assert np.linalg.norm(recogniser.embed(noise(), points)) == pytest.approx(1, abs=1e-5)
    with pytest.raises(ValueError, match="expected 68 known points"):
        recogniser.embed(noise(), np.full((68, 2), np.nan))


def test_an_embedding_of_nothing_is_said(tmp_path):
    recogniser = recognisers.read(str(own(tmp_path)))
    with pytest.raises(ValueError, match="length 0"):
        recogniser.embed(np.zeros((240, 320, 3), np.uint8), face_points())


WRONG = {
    "no TOML": ("name =", "is no TOML"),
    "unknown key": ('name = "m"\ncolour = 1\n', "got the key colour; expected name"),
    "missing key": ('name = "m"\n', "source is missing; expected text: add it"),
    "wrong kind": (OWN.replace('"mine"', "3"), "got name = 3; expected text"),
    "true is no number": (
        OWN.replace("{levels}", "mean = true\nscale = 1"),
        "got input.mean = True; expected a num",
    ),
    "runtime": (OWN.replace("{runtime}", "torch"), "got runtime = 'torch'; expected openvino, opencv, dlib"),
    "channels": (OWN.replace("{channels}", "GBR"), "expected RGB or BGR"),
    "size": (OWN.replace("= 16", "= 0"), "input.size_px = 0; expected 8 to 2048"),
    "half of the levels": (OWN.replace("{levels}", "mean = 1"), "input.scale is missing"),
    "both levels": (OWN.replace("{levels}", "per_picture = true\nmean = 1"), "got the key input.mean"),
    "not per picture": (OWN.replace("{levels}", "per_picture = false"), "expected mean and scale"),
    "no way": (OWN.replace("{align}", ""), "got align with nothing; expected points or box"),
    "two ways": (OWN.replace("{align}", f"{POINTS}\n{BOX}"), "got align with points, box"),
    "a chip": (OWN.replace("{align}", "padding = 0.2"), "got align with padding; expected points or box"),
    "four points": (OWN.replace("{align}", "points = [[1, 2]]"), "expected five points"),
    "words": (OWN.replace("{align}", 'box = ["a", 1, 1, 1]'), "expected four numbers"),
    "dlib with input": (OWN.replace("{runtime}", "dlib"), "got the key input"),
    "no file": (OWN, "net.onnx does not exist; expected the net's file"),
    "version alone": ('version = "1"\n' + OWN, "got the key version"),
    "package alone": ('package = "x"\n' + OWN, "version is missing"),
    "no package": ('package = "no-such-0"\nversion = "1"\n' + OWN, "pip install --no-deps 'no-such-0==1'"),
    "other version": ('package = "numpy"\nversion = "0.1"\n' + OWN, "pip install --no-deps 'numpy==0.1'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_description_is_one_sentence(tmp_path, case):
    text, expected = WRONG[case]
    for name, value in {"runtime": "opencv", "channels": "RGB", "levels": LEVELS, "align": POINTS}.items():
        text = text.replace(f"{{{name}}}", value)
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(WrongUse) as refused:
        recognisers.read(str(path))
    assert expected in str(refused.value) and "expected" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_package_without_the_file_is_said(tmp_path):
    path = tmp_path / "mine.toml"
    text = OWN.format(runtime="opencv", channels="RGB", levels=LEVELS, align=POINTS)
    path.write_text(f'package = "numpy"\nversion = "{importlib.metadata.version("numpy")}"\n{text}')
    with pytest.raises(WrongUse, match=r"numpy has no net\.onnx"):
        recognisers.read(str(path))


@pytest.mark.parametrize("runtime", ["opencv", "openvino"])
def test_a_net_that_is_none_and_names_that_it_lacks_are_one_sentence(tmp_path, runtime):
    path = own(tmp_path, runtime)
    good = path.read_text()
    for wrong in (good.replace('"data"', '"pixels"'), good.replace('"cells"', '"embedding"')):
        path.write_text(wrong)
        with pytest.raises(WrongUse, match="expected a net with that input and output") as refused:
            recognisers.read(str(path))
        assert "\n" not in str(refused.value)
    path.write_text(good)
    (tmp_path / "net.onnx").write_bytes(b"no net")
    with pytest.raises(WrongUse, match="cannot run"):
        recognisers.read(str(path))


def test_an_unknown_name_tells_the_known_ones():
    assert recognisers.known() == ["dlib", "facenet", "sface"]
    with pytest.raises(
        WrongUse, match="got the recogniser arcface; expected dlib, facenet, sface, or a TOML"
    ):
        recognisers.read("arcface")


@pytest.mark.parametrize("name", recognisers.known())
def test_every_known_description_is_whole_without_its_package(name, monkeypatch, tmp_path):
    monkeypatch.setattr(description, "weights", lambda path, facts: tmp_path / facts["file"])
    facts = description.describe(name)
    assert facts.licence and facts.source and (facts.input is None) == (facts.runtime == "dlib")


@pytest.mark.parametrize("name", recognisers.known())
def test_a_known_recogniser_knows_a_face_again(name, patient_frames):
    try:
        recogniser = recognisers.read(name)
    except WrongUse as missing:
        pytest.skip(str(missing))
    import dmask
    from dmask.synthetic import Pose, SyntheticPatient

    pipeline = dmask.Pipeline(dmask.Options())
    others = [SyntheticPatient(seed=seed, size=(420, 420)).render(Pose())[0] for seed in (11, 12, 13)]
    embedded = []
    for picture in (patient_frames[0], patient_frames[23], *others):
        pipeline.reset()
        face = np.asarray(pipeline.detect(picture, 0.0).face)[:, :2]
        embedded.append(recogniser.embed(picture, face))
        assert np.linalg.norm(embedded[-1]) == pytest.approx(1, abs=1e-5)
        assert (recogniser.embed(picture, face) == embedded[-1]).all()
    assert embedded[0] @ embedded[1] > max(embedded[0] @ other for other in embedded[2:])
    for points in (np.full((68, 2), 50.0), face_points() - 1e4, face_points() * 50):
        assert np.isfinite(recogniser.embed(patient_frames[0], points)).all()
