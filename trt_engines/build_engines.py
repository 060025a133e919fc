"""Builds the TensorRT engines of the shipped nets: the same as `dmask engines build`, from a checkout."""

from dmask.engines.build import main

if __name__ == "__main__":
    raise SystemExit(main())
