"""`--json F`: the figures of a command, whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dmask.io.atomic import atomic_file


def write_report(path: str | os.PathLike[str], figures: Mapping[str, Any]) -> None:
    """Writes `figures` as JSON, in place of an earlier report. Raises Error where that cannot be."""
    with atomic_file(Path(path), overwrite=True) as partial:
        partial.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
