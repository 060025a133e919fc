"""The commands of `dmask`, one file each: add_arguments(parser) and run(args) -> exit code."""
