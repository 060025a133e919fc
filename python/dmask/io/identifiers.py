"""Identifiers that stay with a recording and name nobody: a keyed hash of its content.

The key is a secret of the user's. With the same secret the same recording has the same identifier, in every
run, wherever it lies and whatever it is called; without the secret nobody can tell whose it is by trying.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from dmask.errors import Error, WrongUse

SECRET_BYTES = 32
LEAST_SECRET_BYTES = 16  # of a file that the user brings
MOST_SECRET_BYTES = 4096
LETTERS = 12  # of base 32, 60 bits: a million recordings share one with a chance of 1 in 2 million
BLOCK_BYTES = 1 << 20


class Identifiers:
    """Identifiers under one secret; different contents that would share one are refused."""

    def __init__(self, secret: bytes):
        self._secret = secret
        self._contents: dict[str, bytes] = {}

    def of_file(self, path: Path) -> str:
        """Of a file's content. Raises OSError, and Error where another content has its identifier."""
        return self._of(b"file", content_digest(path))

    def of_name(self, name: str) -> str:
        """Of what has no content to go by: a folder, a file that cannot be read."""
        return self._of(b"name", hashlib.sha256(os.fsencode(name)).digest())

    def _of(self, kind: bytes, digest: bytes) -> str:
        keyed = hmac.new(self._secret, b"dmask item\0" + kind + b"\0" + digest, hashlib.sha256).digest()
        identifier = base64.b32encode(keyed).decode("ascii").lower()[:LETTERS]
        if self._contents.setdefault(identifier, kind + digest) != kind + digest:
            raise Error(
                f"two recordings have the identifier {identifier} under this secret; expected one each: "
                "give another secret with --id-secret"
            )
        return identifier


def content_digest(path: Path) -> bytes:
    """SHA-256 of a file's bytes. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.digest()


def default_secret_path() -> Path:
    """$XDG_CONFIG_HOME/dmask/id-secret, usually ~/.config/dmask/id-secret."""
    folder = os.environ.get("XDG_CONFIG_HOME", "")
    home = Path(folder) if os.path.isabs(folder) else Path.home() / ".config"
    return home / "dmask" / "id-secret"


def read_secret(given: str | None = None) -> bytes:
    """The secret in the file `given`, or at its usual place; made there, for its owner alone, if absent.

    Raises WrongUse where the file cannot be a secret, Error where it cannot be read or made.
    """
    path = Path(given) if given is not None else default_secret_path()
    try:
        if not path.exists():
            _make(path)
        with path.open("rb") as file:
            content = file.read(MOST_SECRET_BYTES + 1)
    except OSError as error:
        raise Error(
            f"the secret {path} cannot be read or made ({error.strerror}); "
            "expected a file of your own: name another with --id-secret"
        ) from None
    secret = content.strip()
    if not LEAST_SECRET_BYTES <= len(secret) <= MOST_SECRET_BYTES:
        raise WrongUse(
            f"got the secret {path} of {len(secret)} bytes, expected {LEAST_SECRET_BYTES} to "
            f"{MOST_SECRET_BYTES}: name a file that is there for this alone, or one that is not there yet"
        )
    return secret


def _make(path: Path) -> None:
    """Whole or not at all, and never in place of one that another run made meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_hex(SECRET_BYTES).encode("ascii") + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(partial, path)
        except FileExistsError:
            pass
        except OSError:  # no hard links here
            os.rename(partial, path)
    finally:
        partial.unlink(missing_ok=True)
