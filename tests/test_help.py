"""`help(dmask)` reads like documentation: whatever the core brings says what it is."""

import inspect
import re

import pytest

import dmask
from dmask import _core

PUBLIC = [name for name in dir(_core) if not name.startswith("_")]
CLASSES = [getattr(_core, name) for name in PUBLIC if inspect.isclass(getattr(_core, name))]
FUNCTIONS = [name for name in PUBLIC if inspect.isroutine(getattr(_core, name))]
MEMBERS = [
    (cls, name)
    for cls in CLASSES
    for name, member in vars(cls).items()
    if not name.startswith("_") and (isinstance(member, property) or callable(member))
]


def described(text):
    """What a docstring says besides the signatures that pybind11 puts into it."""
    lines = [line for line in (text or "").splitlines() if not re.match(r"\s*\w+\(.*\) -> |Overloaded", line)]
    return " ".join(" ".join(lines).split())


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_class_says_what_it_is(cls):
    assert len(described(cls.__doc__)) > 10 or cls is _core.Error


@pytest.mark.parametrize(("cls", "name"), MEMBERS, ids=lambda value: getattr(value, "__name__", value))
def test_every_member_says_what_it_is(cls, name):
    said = described(getattr(cls, name).__doc__)
    assert len(said) > 4 and said[-1] in ".)", said


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_says_what_it_is(name):
    assert described(getattr(_core, name).__doc__).endswith(".")


def test_there_is_something_to_describe():
    assert len(FUNCTIONS) > 5 and len(CLASSES) > 10 and len(MEMBERS) > 100


def test_what_dmask_hands_out_is_its_own():
    assert set(dir(dmask)) == set(dmask.__all__)
    for name in dmask.__all__:
        if name != "__version__":
            assert inspect.isclass(getattr(dmask, name))
