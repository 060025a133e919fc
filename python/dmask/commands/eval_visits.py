"""`dmask eval visits`, and the studio of training that draws its patients where one is named."""

from __future__ import annotations

import argparse
from typing import Any

from dmask.commands.eval_rendered import studio_of
from dmask.evaluate import visits

add_arguments, as_text = visits.add_arguments, visits.as_text


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Raises WrongUse, Error."""
    return visits.run(args, studio_of)
