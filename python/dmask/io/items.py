"""What a run of several recordings is about: files and folders; each item with the name of its results."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from dmask.errors import Error, WrongUse
from dmask.io.claim import is_lock
from dmask.io.identifiers import Identifiers
from dmask.io.picture import is_picture
from dmask.io.same_file import identity
from dmask.io.video import holds_video

BATCH = "batch.csv"  # stands beside the items' folders
RESULTS_OF_A_RUN = ("track.dmask", "run.json")  # a mask is no recording of a patient

# A file that is called so is a recording, whole or not; any other is asked what it holds.
VIDEO_SUFFIXES = frozenset(
    ".mp4 .m4v .mov .qt .3gp .mkv .webm .avi .mts .m2ts .ts .mpg .mpeg .vob .wmv .asf .flv .ogv .mxf "
    ".dv".split()
)
RECORDING_SUFFIXES = VIDEO_SUFFIXES | frozenset(
    ".gif .png .apng .jpg .jpeg .jpe .bmp .tif .tiff .webp .heic .heif .avif .jp2 .ppm .pgm .pbm .pnm".split()
)


class Item(NamedTuple):
    name: str  # its results go to OUT/<name>/
    path: Path


class Skipped(NamedTuple):
    """What was found and is no recording: listed, and no failure."""

    name: str
    reason: str


class Found(NamedTuple):
    items: list[Item]
    skipped: list[Skipped]

    def with_file_names(self) -> Found:
        """Items called by their files' names, where no two are alike: a table needs no folder for each."""
        names = Counter(item.path.name for item in self.items)
        items = [i._replace(name=i.path.name) if names[i.path.name] == 1 else i for i in self.items]
        return Found(items, self.skipped)


class _Candidate(NamedTuple):
    path: Path
    names: tuple[str, ...]  # the usual one first, then longer ones for where it is taken


def find_items(inputs: list[Path], recursive: bool = False, out: Path | None = None) -> Found:
    """The recordings among `inputs`, files and folders, in the order of names; hidden ones are left out.

    An item is called by its path in its folder without the suffix; with it where two would be called the
    same, and with the folder's name where that is not enough. `out` is not searched. Raises WrongUse where
    two items cannot be told apart, Error where a folder cannot be read or nothing is there.
    """
    candidates: list[_Candidate] = []
    skipped: list[Skipped] = []
    given: set[str] = set()
    own = identity(out) if out is not None else None
    for source in inputs:
        if not source.is_dir():
            _add(candidates, given, source, source.name, _folder_name(source))
            continue
        for path, relative in _walk(source, PurePosixPath(), recursive, {own}, skipped):
            _add(candidates, given, path, relative, source.resolve().name)
    if not candidates:
        if skipped:
            raise Error(
                f"the folder holds no files that are videos or pictures, but {len(skipped)} others, as "
                f"{skipped[0].name} ({skipped[0].reason}); expected recordings"
            )
        raise Error("the folder holds no files; expected videos or pictures directly inside it")
    return Found(_named(candidates), skipped)


def anonymous(found: Found, identifiers: Identifiers) -> Found:
    """The same items under identifiers of their content, in the order of these; one of each content.

    Raises Error where two contents would share an identifier.
    """
    items: dict[str, Item] = {}
    skipped = [Skipped(identifiers.of_name(name), reason) for name, reason in found.skipped]
    for item in found.items:
        try:
            name = identifiers.of_file(item.path)
        except OSError:  # its row will say so
            name = identifiers.of_name(item.name)
        if name in items:
            skipped.append(Skipped(name, "the same content as another file"))
        else:
            items[name] = Item(name, item.path)
    return Found([items[name] for name in sorted(items)], skipped)


def _folder_name(path: Path) -> str:
    return Path(os.path.abspath(path)).parent.name


def _add(candidates: list[_Candidate], given: set[str], path: Path, relative: str, folder: str) -> None:
    place = os.path.join(os.path.realpath(path.parent), path.name)
    if place in given:  # named on its own and found in its folder, too
        return
    given.add(place)
    short = str(PurePosixPath(relative).with_suffix("")) if PurePosixPath(relative).suffix else relative
    names = [short, relative]
    names += [f"{folder}/{name}" for name in names] if folder else []
    candidates.append(_Candidate(path, tuple(names)))


def _walk(
    folder: Path, above: PurePosixPath, recursive: bool, seen: set[object], skipped: list[Skipped]
) -> Iterator[tuple[Path, str]]:
    """Recordings with their paths in the folder that the walk began in; the rest goes to `skipped`."""
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        raise Error(f"{folder} cannot be read ({error.strerror}); expected a folder that may be") from None
    for path in paths:
        name = str(above / path.name)
        if is_lock(path):
            continue
        if path.is_dir():
            own = identity(path)
            if path.name.startswith(".") or own in seen:
                skipped.append(Skipped(name, "hidden" if own not in seen else "the results' own folder"))
            elif not recursive:
                skipped.append(Skipped(name, "a folder: -r goes into it"))
            elif all((path / file).is_file() for file in RESULTS_OF_A_RUN):
                skipped.append(Skipped(name, "results of an earlier run"))
            else:
                yield from _walk(path, above / path.name, recursive, seen | {own}, skipped)
        elif path.name.startswith("."):
            skipped.append(Skipped(name, "hidden"))
        elif path.exists() and not path.is_file():  # opening one may wait for ever
            skipped.append(Skipped(name, "no file but a device or a pipe"))
        elif not is_recording(path):
            skipped.append(Skipped(name, "no video and no picture"))
        else:
            yield path, name


def is_recording(path: Path) -> bool:
    """By its name, or else by what it holds."""
    if path.suffix.lower() in RECORDING_SUFFIXES:
        return True
    try:
        return path.is_file() and path.stat().st_size > 0 and (is_picture(path) or holds_video(path))
    except OSError:
        return False


def _named(candidates: list[_Candidate]) -> list[Item]:
    """Each by the shortest of its names that is its own."""
    levels = [0] * len(candidates)
    while True:
        names = [one.names[level] for one, level in zip(candidates, levels, strict=True)]
        count = Counter(names)
        above = {str(folder) for name in names for folder in PurePosixPath(name).parents}
        taken = [k for k, name in enumerate(names) if count[name] > 1 or name in above or not _usable(name)]
        if not taken:
            return [Item(name, one.path) for name, one in zip(names, candidates, strict=True)]
        longer = [k for k in taken if levels[k] + 1 < len(candidates[k].names)]
        if not longer:
            first, *others = [candidates[k].path for k in taken if names[k] == names[taken[0]]]
            raise WrongUse(
                f"the results of {first} and {others[0] if others else 'another item'} would both go to "
                f"{names[taken[0]]}; expected names that differ: rename one, or run them apart"
            )
        for k in longer:
            levels[k] += 1


def _usable(name: str) -> bool:
    return name != BATCH and all(part not in ("", ".", "..") for part in name.split("/"))
