"""The order of the package's rooms: a module imports from its own room and from lower ones, never upwards.

Every import counts, wherever it stands: at the top, inside a function, under TYPE_CHECKING; so does a string
that names a module, as the tables of commands do. `python tests/test_python_structure.py` prints the rooms,
from the top down, each with the rooms that it imports from.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "python" / "dmask"

# From the bottom up; rooms of one line do not know each other. A room is a package, one of train's packages,
# or a module beside them; `dmask` is the package's own __init__.
LEVELS = (
    ("arrays", "crops", "errors", "point_order", "ranges", "stopwatch"),
    ("_core", "environment", "studio_folders"),
    ("axes",),
    ("dmask",),
    ("models", "io", "options"),
    ("measure", "synthetic"),
    ("engines", "run"),
    ("evaluate", "installation", "report"),
    ("train.nets", "train.data"),
    ("train.render_eyes", "train.render_faces"),
    ("train", "face_model"),
    ("commands",),
    ("cli",),
    ("__main__",),
)
LEVEL = {room: level for level, rooms in enumerate(LEVELS) for room in rooms}


def modules(package: Path) -> dict[str, Path]:
    """File by dotted name without the package's own; the package itself is `dmask`."""
    found = {"dmask": package / "__init__.py"}
    for path in (*package.rglob("*.py"), *package.rglob("*.pyi")):
        parts = path.relative_to(package).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if parts:
            found[".".join(parts)] = path
    return found


def imports(source: str, name: str, is_package: bool, known: set[str]) -> set[str]:
    """The modules of the package that `source`, the module called `name`, names anywhere."""
    home = [] if name == "dmask" else name.split(".")
    home = home if is_package else home[:-1]
    found: set[str] = set()

    def add(dotted: str) -> None:
        parts = dotted.split(".")
        while parts and ".".join(parts) not in known:  # the last names may be of a function or a class
            parts.pop()
        found.add(".".join(parts) if parts else "dmask")

    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "dmask":
                    add(alias.name.partition(".")[2])
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*home[: len(home) - node.level + 1], *([base] if base else [])])
            elif base.split(".")[0] == "dmask":
                base = base.partition(".")[2]
            else:
                continue
            for alias in node.names:
                add(f"{base}.{alias.name}" if base else alias.name)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            named = re.fullmatch(r"dmask\.([\w.]+)(:[\w.]+)?", node.value)
            if named and named[1].split(".")[0] in {module.split(".")[0] for module in known}:
                add(named[1])
        elif isinstance(node, ast.Attribute):
            if (dotted := ast.unparse(node)).startswith("dmask."):
                add(dotted.partition(".")[2])
    return found - {name}


def hidden_imports(source: str) -> list[str]:
    """Calls that bring modules in by names that cannot be read here."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func).rpartition(".")[2]
        first = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else ""
        relative = called == "import_module" and str(first).startswith(".")
        if (
            called in ("__import__", "exec")
            or relative
            or (called == "eval" and "." not in ast.unparse(node.func))
        ):
            found.append(ast.unparse(node))
    return found


def arrows(package: Path) -> dict[str, set[str]]:
    """What each module of the package imports."""
    files = modules(package)
    return {
        name: imports(path.read_text(encoding="utf-8"), name, path.stem == "__init__", set(files))
        for name, path in files.items()
    }


def room_of(module: str) -> str:
    parts = module.split(".")
    two = ".".join(parts[:2])
    return two if two in LEVEL else parts[0]


def wrong_arrows(found: dict[str, set[str]]) -> list[str]:
    """Each import that does not go down, as a sentence."""
    wrong = []
    for module, targets in sorted(found.items()):
        for target in sorted(targets):
            here, there = room_of(module), room_of(target)
            if here != there and LEVEL[there] >= LEVEL[here]:
                wrong.append(f"{module} imports {target}: {there} does not lie below {here}")
    return wrong


def circle(found: dict[str, set[str]]) -> list[str]:
    """Modules that import each other in a circle, the first at the end again; empty without one."""
    done: set[str] = set()

    def walk(module: str, path: list[str]) -> list[str]:
        if module in path:
            return [*path[path.index(module) :], module]
        if module in done:
            return []
        for target in sorted(found.get(module, ())):
            if around := walk(target, [*path, module]):
                return around
        done.add(module)
        return []

    return next((around for module in sorted(found) if (around := walk(module, []))), [])


def test_no_module_is_brought_in_by_a_name_that_cannot_be_read():
    for path in modules(PACKAGE).values():
        assert hidden_imports(path.read_text(encoding="utf-8")) == [], path
    for source in (
        "importlib.import_module('.cli', 'dmask')",
        "import_module('..cli', __package__)",
        "__import__('dmask', fromlist=['cli'])",
        "exec('import dmask.cli')",
    ):
        assert hidden_imports(source), source
    assert not hidden_imports("importlib.import_module(command.module)")
    assert not hidden_imports("net.eval()")


def test_every_room_has_its_place():
    unknown = {room_of(name) for name in arrows(PACKAGE)} - set(LEVEL)
    assert not unknown, f"{sorted(unknown)}: no place in LEVELS; say below which rooms they lie"
    assert set(LEVEL) == {room_of(name) for name in arrows(PACKAGE)}


def test_no_arrow_goes_up_and_no_circle_is_left():
    found = arrows(PACKAGE)
    assert sum(map(len, found.values())) > 100  # the imports were read at all
    assert wrong_arrows(found) == []
    assert circle(found) == []


def test_an_arrow_that_turns_round_is_seen_wherever_it_stands():
    known = {"dmask", "run", "run.stages", "io", "io.tables", "commands", "commands.run"}
    for source in (
        "from dmask.commands import run",
        "def late():\n    import dmask.commands.run",
        "if TYPE_CHECKING:\n    from dmask.commands.run import run",
        "from ..commands import run",
        "TABLE = {'run': 'dmask.commands.run'}",
        "SCRIPT = 'dmask.commands.run:main'",
        "MAIN = 'dmask.commands.run.main'",
        "def late():\n    return dmask.commands.run.main()",
    ):
        found = {"io.tables": imports(source, "io.tables", False, known)}
        assert "commands.run" in found["io.tables"] and wrong_arrows(found), source
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def tree() -> str:
    """The rooms from the top down, each with the rooms that it imports from."""
    between: dict[str, set[str]] = {room: set() for room in LEVEL}
    for module, targets in arrows(PACKAGE).items():
        between[room_of(module)] |= {room_of(target) for target in targets} - {room_of(module)}
    lines = []
    for rooms in reversed(LEVELS):
        for room in rooms:
            below = sorted(between[room], key=lambda other: (-LEVEL[other], other))
            lines.append(f"{room:<20}-> {', '.join(below)}" if below else room)
    return "\n".join(lines)


if __name__ == "__main__":
    print(tree())
    for sentence in wrong_arrows(arrows(PACKAGE)):
        print(sentence)
    if around := circle(arrows(PACKAGE)):
        print("circle:", " -> ".join(around))
