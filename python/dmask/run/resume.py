"""Whether an item's results are whole, and made as they would be now: `--resume` keeps those."""

from __future__ import annotations

import hashlib
import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dmask import environment
from dmask.errors import Error
from dmask.io.identifiers import content_digest
from dmask.run.results import hashes

if TYPE_CHECKING:
    from dmask._core import Pipeline

UNIMPORTANT = (
    "threads",
    "models_dir",
)  # how many there are changes nothing; of the models their hashes count


class Kept(NamedTuple):
    """What stands in the run.json of results that are kept."""

    frames: int
    frames_with_face: int
    frames_with_eyes: int
    broken_off: str | None


class Making:
    """How results are made by this run: options, models, versions and backend."""

    def __init__(
        self, pipeline: Pipeline, options: dict[str, Any], legend: bool = False, by_focal_length: bool = True
    ):
        models = environment.model_sha256(options["weights"], environment.models_folder(options))
        settings = {
            "options": {name: value for name, value in options.items() if name not in UNIMPORTANT},
            "models": models,
            "backend": pipeline.backend,
            "dmask": environment.versions()["dmask"],
        } | ({"legend": True} if legend else {})
        settings |= {} if by_focal_length else {"by_focal_length": False}
        self._settings = json.dumps(settings, sort_keys=True).encode()

    def mark(self, path: Path) -> dict[str, str]:
        """What goes into run.json: a hash of content and settings under a number of this item's own, so that
        two results do not show by it that they are of one recording. Raises Error."""
        salt = secrets.token_hex(16)
        return {"salt": salt, "sha256": self._hash(salt, path)}

    def kept(self, folder: Path, path: Path) -> Kept | None:
        """What `folder` holds where it is whole and would come out the same now; else None."""
        try:
            report = json.loads((folder / "run.json").read_bytes())
            mark = report["made_from"]
            if mark["sha256"] != self._hash(mark["salt"], path) or not is_whole(folder, report):
                return None
            given = report["input"]
            return Kept(
                given["frames"],
                given["frames_with_face"],
                given.get("frames_with_eyes", 0),
                given.get("partial"),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def _hash(self, salt: str, path: Path) -> str:
        try:
            content = content_digest(path)
        except OSError as error:
            raise Error(
                f"the file cannot be read ({error.strerror}); expected one that may be read"
            ) from None
        return hashlib.sha256(salt.encode() + content + self._settings).hexdigest()


def is_whole(folder: Path, report: dict[str, Any]) -> bool:
    """Whether all files of one run are there as it wrote them. Raises what reading them raises."""
    return bool(report["files_sha256"] == hashes(folder))
