"""The command line as such: help, versions, wrong use, and that importing it is cheap."""

import argparse
import json
import re
import subprocess
import sys

import pytest

from dmask import cli
from dmask.commands.parser import add_commands
from dmask.options import flag, table
from dmask.ranges import number, whole


def test_help_names_every_command(capsys):
    assert cli.main(["--help"]) == 0
    said = capsys.readouterr().out
    for command in ("run", "detect", "render", "demo", "doctor", "bench", "eval", "train"):
        assert re.search(rf"^\s+{command}\b", said, re.MULTILINE)
    assert "not a medical device" in said


def test_no_command_is_wrong_use(capsys):
    assert cli.main([]) == 2
    assert "usage: dmask" in capsys.readouterr().err


def test_an_unknown_command_is_wrong_use(capsys):
    assert cli.main(["mask"]) == 2
    assert "invalid choice" in capsys.readouterr().err


WALK_THROUGH_HELP = """
import contextlib, io, json, re, sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "scipy", "onnx", "tensorrt", "tensorrt_rtx"):
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Hidden())
from dmask import cli
from dmask.commands.parser import add_commands
from dmask.options import flag, table
from dmask.ranges import number, whole

def walk(command):
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = cli.main([*command, "--help"])
    found[" ".join(command)] = [code, said.getvalue()]
    for part in re.findall(r"^    ([a-z][a-z0-9-]*)(?: {2,}|$)", said.getvalue(), re.M):
        walk([*command, part])

found = {}
walk([])
print(json.dumps(found))
"""


def test_every_command_and_part_has_help_without_the_extras():
    done = subprocess.run(
        [sys.executable, "-c", WALK_THROUGH_HELP], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    for command, (code, said) in found.items():
        assert (code, said.splitlines()[0].split(" [")[0]) == (0, f"usage: dmask {command}".strip()), command
    expected = {"run", "doctor", "bench", "engines build", "train eyes", "train validate", "eval rendered"}
    assert expected | {"train render-faces", "face-model build", "face-model report"} <= set(found)


def test_importing_dmask_loads_no_heavy_package():
    heavy = ("numpy", "cv2", "av", "torch", "dmask._core")
    code = f"import sys, dmask, dmask.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unknown_attribute_is_an_attribute_error():
    import dmask

    with pytest.raises(AttributeError, match="no attribute 'Pipelines'"):
        _ = dmask.Pipelines


def test_an_error_of_the_core_is_a_dmask_error():
    import dmask
    from dmask import _core

    assert issubclass(_core.Error, dmask.Error)


def test_options_find_the_packages_own_models():
    import dmask
    from dmask.environment import MODELS_DIR

    assert dmask.Options().models_dir == str(MODELS_DIR)


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("dmask.train.training", "dmask.train.training is missing from this installation"),
        ("scipy", "needs scipy, which is not installed; in a checkout of dmask: pip install '.[train]'"),
        ("onnx", "needs onnx, which is not installed; in a checkout of dmask: pip install '.[tensorrt]'"),
        ("av", "needs av, which is not installed; install dmask again"),
    ],
)
def test_a_missing_package_is_named(capsys, monkeypatch, module, said):
    def command(arguments):
        raise ModuleNotFoundError(name=module)

    monkeypatch.setattr("dmask.commands.doctor.run", command)
    assert cli.main(["doctor"]) == 1
    assert said in capsys.readouterr().err


def test_doctor_reports_versions_processor_and_models(capsys):
    code = cli.main(["doctor", "--json"])
    report = json.loads(capsys.readouterr().out)
    assert code == (1 if report["problems"] else 0)
    assert report["versions"]["openvino"] != "not installed"
    assert report["would be used"]


def numbers(parser, command=()):
    """(command, argument) of every argument whose type takes numbers without a range."""
    if getattr(parser, "_prepare", None) is not None:
        prepare, parser._prepare = parser._prepare, None
        prepare(parser)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, part in action.choices.items():
                yield from numbers(part, (*command, name))
        elif action.type in (int, float):
            yield " ".join(command), action.option_strings[-1]


def test_every_number_of_the_command_line_has_its_range():
    parser = argparse.ArgumentParser()
    add_commands(parser, cli.COMMANDS, "COMMAND")
    # The core checks its own options; of --seconds a live source says what it expects.
    own = {flag(name) for name in table()} | {"--seconds"}
    assert {argument for _, argument in numbers(parser)} <= own


@pytest.mark.parametrize(
    ("convert", "wrong"),
    [(whole(1), t) for t in ("0", "-1", "1.5", "nan", "", "x", "²", "9" * 5000)]
    + [(whole(0, 9), "10"), (number(0.5, 9), "9.1")]
    + [(number(0.5), t) for t in ("0.4", "nan", "inf", "-inf", "x", "")],
)
def test_a_number_out_of_its_range_is_refused_with_the_range(convert, wrong):
    with pytest.raises(argparse.ArgumentTypeError, match=r"^got .*, expected a (whole )?number from "):
        convert(wrong)


def test_a_number_within_its_range_is_taken():
    assert (whole(1)("1"), whole(0, 9)("9"), number(0.5)("0.5"), number(0, 9)("9")) == (1, 9, 0.5, 9.0)


def test_the_demo_says_its_own_defaults_and_takes_others(capsys):
    assert cli.main(["demo", "--help"]) == 0
    assert "for a while (default od)" in " ".join(capsys.readouterr().out.split())
