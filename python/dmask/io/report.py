"""`--json F`: the figures of a command, whole or not at all."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dmask.io.atomic import atomic_file


def write_report(path: str | os.PathLike[str], figures: Mapping[str, Any]) -> None:
    """Writes `figures` as JSON, in place of an earlier report; what is no number is null. Raises Error where
    that cannot be."""
    text = json.dumps(with_nulls(figures), indent=2, allow_nan=False)
    with atomic_file(Path(path), overwrite=True) as partial:
        partial.write_text(text + "\n", encoding="utf-8")


def with_nulls(value: Any) -> Any:
    """The same with None for NaN and infinities, which JSON does not have."""
    if isinstance(value, Mapping):
        return {name: with_nulls(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [with_nulls(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
