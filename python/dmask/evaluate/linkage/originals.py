"""Whose pictures these are, and of which session: by folders, by file names, or by a manifest."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from dmask.errors import WrongUse
from dmask.io.items import VIDEO_SUFFIXES
from dmask.io.labelled import PICTURE_SUFFIXES

NAMED_BY = ("file", "folder")
IDENTIFYING = "identifying"  # the folder of an earlier study: its masks are no originals
MANIFEST_COLUMNS = ("path", "person")


class Original(NamedTuple):
    path: Path
    person: str
    session: str


class Pair(NamedTuple):
    """Two pictures of one person, by their numbers in a list of originals."""

    query: int
    gallery: int


def read_originals(sources: Iterable[Path], named_by: str) -> list[Original]:
    """The pictures and videos of folders and manifests.

    In a folder one shows the person that its file is called after, in the session that its folder
    is (`file`), or the person that its folder is called after, in a session of its own (`folder`). A
    manifest is a CSV file of path, person and, where there are any, session; its paths count from where it
    lies. Raises WrongUse where there is nothing of this kind.
    """
    found: list[Original] = []
    for source in sources:
        found += read_manifest(source) if source.suffix.lower() == ".csv" else of_folder(source, named_by)
    if not found:
        raise WrongUse("got no pictures; expected folders of them, or a manifest of path, person, session")
    return found


def of_folder(folder: Path, named_by: str) -> list[Original]:
    if not folder.is_dir():
        raise WrongUse(f"{folder} is neither a folder nor a .csv; expected pictures of people")
    found = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in (*PICTURE_SUFFIXES, *VIDEO_SUFFIXES)
        and IDENTIFYING not in path.relative_to(folder).parts
        and not path.name.startswith(".")
    )
    if not found:
        raise WrongUse(
            f"{folder} holds no pictures and no videos (links to folders are not followed); expected some of "
            f"{', '.join(PICTURE_SUFFIXES)}, or videos"
        )
    if named_by == "folder":
        return [Original(path, path.parent.name, path.stem) for path in found]
    return [Original(path, path.stem, str(path.parent)) for path in found]


def is_video(original: Original) -> bool:
    return original.path.suffix.lower() in VIDEO_SUFFIXES


def read_manifest(manifest: Path) -> list[Original]:
    if not manifest.is_file():
        raise WrongUse(f"{manifest} does not exist; expected a manifest of path, person, session")
    try:
        text = manifest.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise WrongUse(f"{manifest} is no text in UTF-8; expected a manifest that is saved as such") from None
    with io.StringIO(text, newline="") as file:
        rows = csv.DictReader(file)
        try:
            missing = [name for name in MANIFEST_COLUMNS if name not in (rows.fieldnames or ())]
            if missing:
                raise WrongUse(
                    f"{manifest} has no column {missing[0]}; expected path, person and, if any, session"
                )
            return [of_row(manifest, number, row) for number, row in enumerate(rows, 2)]
        except csv.Error as error:
            raise WrongUse(
                f"{manifest}, line {rows.line_num}: {error}; expected a manifest of path, person, session"
            ) from None


def of_row(manifest: Path, number: int, row: dict[str, str]) -> Original:
    path = manifest.parent / (row["path"] or "")
    if not row["person"] or not path.is_file():
        raise WrongUse(
            f"{manifest}, line {number}: got path {row['path']!r}, person {row['person']!r}; "
            "expected a file that is there, and who it shows"
        )
    return Original(path, row["person"], row.get("session") or "")


def pairs_across(originals: list[Original]) -> list[Pair]:
    """One pair a person, of two sessions: the first picture of each, in the order of their names."""
    found = []
    for pictures in by_person(originals).values():
        first = {originals[i].session: i for i in reversed(pictures)}
        if len(first) > 1:
            query, gallery = (first[name] for name in sorted(first)[:2])
            found.append(Pair(query, gallery))
    return found


def pairs_within(originals: list[Original]) -> list[Pair]:
    """One pair a person, of one session: the first two pictures of the first session that has two."""
    found = []
    for pictures in by_person(originals).values():
        sessions: dict[str, list[int]] = {}
        for i in pictures:
            sessions.setdefault(originals[i].session, []).append(i)
        two = next((those for _, those in sorted(sessions.items()) if len(those) > 1), None)
        if two:
            found.append(Pair(two[0], two[1]))
    return found


def copies(originals: list[Original]) -> int:
    """How many are a copy of an earlier one, byte by byte: of these nothing has to be linked."""
    by_size: dict[int, list[Path]] = {}
    for original in originals:
        by_size.setdefault(original.path.stat().st_size, []).append(original.path)
    return sum(
        len(files) - len({hashlib.sha256(file.read_bytes()).digest() for file in files})
        for files in by_size.values()
        if len(files) > 1
    )


def by_person(originals: list[Original]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for i, original in enumerate(originals):
        found.setdefault(original.person, []).append(i)
    return dict(sorted(found.items()))
