"""`dmask eval reid`: masks against faces by frozen recognisers, the article's own test, and an easy one.

It says nothing of an attacker who learns from masks of his own: `dmask eval linkage` does.
"""

from __future__ import annotations

import argparse

from dmask.evaluate.linkage import study
from dmask.evaluate.linkage.study import as_text as as_text
from dmask.evaluate.linkage.study import run as run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    study.add_arguments(parser, reid=True)
