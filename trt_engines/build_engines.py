"""Builds the TensorRT engines of the shipped nets: `dmask engines build` by another name."""

import sys

from dmask.cli import main

if __name__ == "__main__":
    sys.exit(main(["engines", "build", *sys.argv[1:]]))
