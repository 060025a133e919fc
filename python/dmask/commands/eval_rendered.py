"""`dmask eval rendered`, and the studio of training that draws its patients where one is named."""

from __future__ import annotations

import argparse
from typing import Any

from dmask.evaluate import rendered
from dmask.evaluate.cohort import StudioFor

add_arguments, as_text = rendered.add_arguments, rendered.as_text


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Raises WrongUse, Error."""
    return rendered.run(args, studio_of)


def studio_of(args: argparse.Namespace) -> StudioFor:
    """From the folders --ict and --unityeyes2. Raises WrongUse, Error."""
    from dmask.train.studio import Studio, StudioAssets  # needs scipy

    assets = StudioAssets.load(args.ict, args.unityeyes2)
    return lambda patient, seed: Studio(patient, assets, seed)
