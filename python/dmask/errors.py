"""What can go wrong, each said in a sentence: what was got, what was expected, what to do."""

import errno


class Error(ValueError):
    """The work failed (exit code 1)."""


class WrongUse(Error):
    """The command line or an option is wrong (exit code 2)."""


def system_sentence(error: OSError, left: str) -> str:
    """What the system says, what to do about it, and what of the work is left."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    advice = (
        "expected room for the results: free some, or name another place"
        if full
        else "expected a place that can be read and written: check it"
    )
    return f"{error.strerror or error}: {error.filename or 'output'}; {advice}; {left}"
