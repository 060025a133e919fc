"""What can go wrong, each said in a sentence: what was got, what was expected, what to do."""


class Error(ValueError):
    """The work failed (exit code 1)."""


class WrongUse(Error):
    """The command line or an option is wrong (exit code 2)."""
