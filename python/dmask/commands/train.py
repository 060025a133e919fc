"""`dmask train`: the networks, from rendering what they learn from to the figures on their cards."""

from __future__ import annotations

import argparse

from dmask.commands.parser import Command, add_commands

TRAINING = "dmask.train.training"
PARTS = {
    "face": Command(TRAINING, "train the net of the 68 points, or --finetune it", {"net": "face"}),
    "wide-face": Command(TRAINING, "train a wide net that teaches the face net", {"net": "wide-face"}),
    "regions": Command(TRAINING, "train the net that tells sclera, iris and pupil", {"net": "regions"}),
    "finder": Command(TRAINING, "train the net that finds eyes without a face", {"net": "finder"}),
    "eyes": Command(TRAINING, "train eyelid, iris and lines with the trunk they share", {"net": "eyes"}),
    "eyelid": Command(TRAINING, "train the eyelids' head alone", {"net": "eyelid"}),
    "iris": Command(TRAINING, "train the iris' head alone", {"net": "iris"}),
    "sight": Command(TRAINING, "train which lids count as seen, their points staying", {"net": "sight"}),
    "lines": Command(TRAINING, "train the head of crease, margins and bulge alone", {"net": "lines"}),
    "render-eyes": Command("dmask.train.render_eyes.render", "render eyes with exact landmarks"),
    "render-patients": Command(
        "dmask.commands.train_render_patients", "render eyes or faces of the face model's own patients"
    ),
    "render-faces": Command("dmask.commands.train_render_faces", "render faces with exact landmarks"),
    "validate": Command("dmask.commands.train_validate", "measure the nets on people that training left out"),
    "cards": Command("dmask.train.cards", "write the model cards from measured figures"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_commands(parser, PARTS, "PART")
