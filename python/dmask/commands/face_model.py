"""`dmask face-model`: how the models of face and eyelids are made, and how good they are."""

from __future__ import annotations

import argparse

from dmask.commands.parser import Command, add_commands

PARTS = {
    "build": Command(
        "dmask.commands.face_model_build", "make face.dmm and eyelid.dmm from ICT-FaceKit Light"
    ),
    "report": Command(
        "dmask.commands.face_model_report", "measure what the models leave out, for their card"
    ),
    "convention": Command("dmask.train.landmarks_dmm", "make landmarks.dmm: where people put landmarks"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_commands(parser, PARTS, "PART")
