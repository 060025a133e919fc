"""The table of options, and what has to say the same: keywords, command line, dmask.h, documentation."""

import argparse
import math
import os
import re
from pathlib import Path

import pytest

import dmask
from dmask import _core
from dmask.errors import WrongUse
from dmask.options import add_backend_arguments, add_core_arguments, core_options

ROOT = Path(__file__).parents[1]
TABLE = {row["name"]: row for row in _core.option_table()}
NUMBERS = [name for name, row in TABLE.items() if row["kind"] in ("number", "whole")]
RANGED = [name for name in NUMBERS if TABLE[name]["range"]]
CHOICES = [name for name, row in TABLE.items() if row["kind"] == "choice"]
OF_THE_COMMAND_LINE = [name for name, row in TABLE.items() if row["use"] in ("mask", "nets")]


def test_every_row_has_what_its_kind_needs():
    assert len(TABLE) == len(_core.option_table())
    for row in TABLE.values():
        assert row["help"] and "\n" not in row["help"] and not row["help"].endswith(".")
        assert (row["choices"] is not None) == (row["kind"] == "choice")
        assert row["range"] is None or row["range"][0] <= row["default"] <= row["range"][1]
        assert row["choices"] is None or row["default"] in row["choices"]


def test_keywords_set_what_attributes_read():
    options = dmask.Options(profile="strict", hfov_deg=30, fixating="os", fixating_to_s=2, eyebrows=False)
    assert (options.profile, options.hfov_deg, options.fixating) == ("strict", 30.0, "os")
    assert options.eyebrows is False
    assert dmask.Options(**options.to_dict()).to_dict() == options.to_dict()
    assert "profile='strict'" in repr(options) and "weights" not in repr(options)
    assert {name: row["default"] for name, row in TABLE.items()} == dmask.Options().to_dict()


def test_what_is_unknown_is_refused():
    with pytest.raises(TypeError, match="'profil', expected profile, keep"):
        dmask.Options(profil="strict")
    options = dmask.Options()
    with pytest.raises(AttributeError):
        options.profil = "strict"


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_is_refused_outside_its_range_and_when_it_is_none(name):
    row = TABLE[name]
    wrong = [math.nan, math.inf, -math.inf, "1", None, True]
    if row["range"]:
        low, high = row["range"]
        step = 1 if row["kind"] == "whole" else 1e-9
        assert getattr(dmask.Options(**{name: type(row["default"])(low)}), name) == low
        assert getattr(dmask.Options(**{name: type(row["default"])(high)}), name) == high
        wrong += [low - step, high * (1 + step)]
    for value in wrong:
        with pytest.raises(dmask.Error, match=rf"got .*{name}.*, expected a .*number"):
            dmask.Options(**{name: value})
        options = dmask.Options()
        with pytest.raises(dmask.Error):
            setattr(options, name, value)
        assert getattr(options, name) == row["default"]


@pytest.mark.parametrize("name", CHOICES)
def test_a_choice_is_one_of_its_names(name):
    choices = TABLE[name]["choices"]
    for choice in choices:
        assert getattr(dmask.Options(**{name: choice}), name) == choice
    expected = ", ".join(choices[:-1]) + f" or {choices[-1]}:"
    for value in ("", "Auto", 0, None):
        with pytest.raises(dmask.Error, match=rf"{name}.* expected {expected}"):
            dmask.Options(**{name: value})


def test_flags_and_texts_are_of_their_kind(tmp_path):
    for value in (0, "yes", None):
        with pytest.raises(dmask.Error, match="expected true or false"):
            dmask.Options(eyebrows=value)
    with pytest.raises(dmask.Error, match="expected a text"):
        dmask.Options(models_dir=3)
    assert dmask.Options(models_dir=tmp_path).models_dir == str(tmp_path)


def test_a_fixation_ends_after_it_begins():
    wrong = dmask.Options(fixating="od", fixating_from_s=2, fixating_to_s=1)
    with pytest.raises(dmask.Error, match="from 2 to 1 s"):
        dmask.Pipeline(wrong)


def parsed(*words):
    parser = argparse.ArgumentParser()
    add_core_arguments(parser)
    return core_options(parser.parse_args(words))


def test_the_command_line_has_every_option_and_its_default():
    assert parsed() == {n: TABLE[n]["default"] for n in OF_THE_COMMAND_LINE if n != "models_dir"}
    words = "--profile strict --hfov-deg 30 --no-eyebrows --fixating od --at 1-2.5"
    other = parsed(*words.split())
    assert dmask.Options(**other).to_dict() == dmask.Options().to_dict() | {
        "profile": "strict", "hfov_deg": 30.0, "eyebrows": False,
        "fixating": "od", "fixating_from_s": 1.0, "fixating_to_s": 2.5,
    }  # fmt: skip
    assert parsed("--threads", "0")["threads"] == len(os.sched_getaffinity(0))


def test_commands_without_masks_take_the_options_of_the_nets_alone():
    parser = argparse.ArgumentParser()
    add_backend_arguments(parser)
    words = {action.dest for action in parser._actions} - {"help"}
    assert words == {n for n in TABLE if TABLE[n]["use"] == "nets"} - {"models_dir"} | {"models"}


@pytest.mark.parametrize("name", [name for name in RANGED if name in OF_THE_COMMAND_LINE])
def test_the_command_line_refuses_what_the_core_refuses(name):
    flag, (low, high) = "--" + name.replace("_", "-"), TABLE[name]["range"]
    for value in (low - 1, high + 1):
        with pytest.raises(WrongUse, match=rf"got {flag} .*from {low:g} to {high:g}"):
            parsed(f"{flag}={value:g}")


HEADER = (ROOT / "cpp" / "include" / "dmask" / "dmask.h").read_text()


def field_comment(struct: str, field: str) -> str:
    body = re.search(rf"typedef struct {struct} \{{(.*?)\n\}} {struct};", HEADER, re.DOTALL)[1]
    return " ".join(re.search(rf"\b{field};\s*/\*(.*?)\*/", body, re.DOTALL)[1].split())


@pytest.mark.parametrize(
    ("struct", "name"),
    [
        ("dmask_options", "hfov_deg"),
        ("dmask_options", "threads"),
        ("dmask_patient", "hvid_mm"),
        ("dmask_patient", "age_years"),
    ],
)
def test_dmask_h_says_ranges_and_defaults_as_the_table(struct, name):
    comment, row = field_comment(struct, name), TABLE[name]
    assert "{:g} to {:g}".format(*row["range"]) in comment
    assert f"default {row['default']:g}" in comment


@pytest.mark.parametrize("name", ["eyebrows", "live_calibration"])
def test_dmask_h_says_the_default_of_a_flag(name):
    default = int(TABLE[name]["default"])
    assert re.search(rf"\b{default}:[^;:]*\(default\)", field_comment("dmask_options", name))


@pytest.mark.parametrize("name", CHOICES)
def test_dmask_h_counts_choices_as_the_table(name):
    prefix = {"fixating": "DMASK_FIXATING", "eye": "DMASK_LATERALITY"}.get(name, f"DMASK_{name.upper()}")
    codes = {word: int(code) for word, code in re.findall(rf"\b{prefix}_(\w+) = (\d+)", HEADER)}
    words = [choice.upper() for choice in TABLE[name]["choices"]]
    if name == "eye":
        words[words.index("AUTO")] = "UNKNOWN"  # the results' enumeration, too
    assert codes == {word: code for code, word in enumerate(words)}


def test_dmask_h_has_every_option_that_a_program_sets():
    fields = set(re.findall(r"\b(\w+);", HEADER))
    assert {name for name, row in TABLE.items() if row["use"] != "experiment"} <= fields


def documented_table() -> str:
    """The options as docs/interfaces.md holds them."""
    lines = ["| option | keyword | values | default | meaning |", "|---|---|---|---|---|"]
    words = {"models_dir": "--models", "eyebrows": "--no-eyebrows", "live_calibration": "–",
             "fixating_from_s": "--at", "fixating_to_s": "--at"}  # fmt: skip
    for name, row in TABLE.items():
        if row["use"] == "experiment":
            continue
        values = ", ".join(row["choices"]) if row["choices"] else row["unit"]
        if row["range"]:
            values = "{:g} to {:g} {}".format(*row["range"], row["unit"]).strip()
        values = values or {"flag": "True, False", "text": "a path"}[row["kind"]]
        default = "the package's" if name == "models_dir" else f"{row['default']}"
        word = words.get(name, "--" + name.replace("_", "-"))
        lines.append(f"| {word} | {name} | {values} | {default} | {row['help']} |")
    return "\n".join(lines)


def test_the_documentation_has_the_table():
    page = (ROOT / "docs" / "interfaces.md").read_text()
    table = documented_table()
    assert table in page, f"docs/interfaces.md is behind the core; it has to hold\n{table}"
