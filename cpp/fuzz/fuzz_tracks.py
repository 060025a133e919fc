"""Track files with changed bytes against the readers of `dmask render`: a track, or an Error in one line.

    python cpp/fuzz/fuzz_tracks.py [CASES] [SEED]
"""

from __future__ import annotations

import random
import struct
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from dmask.errors import Error
from dmask.io import container
from dmask.io.track import Track, read_track

SEED_FILE = Path(__file__).parent / "seeds" / "track.dmask"
WHOLE = (0, 1, 2, 7, 8, 63, 64, 255, 256, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**53, 2**63, 2**64 - 1)
ODD_WHOLE = (-(2**31), -1, 0, 1, 2**31 - 1)
ODD = (0.0, -1.0, 1e-300, 1e30, -1e30, 3e38, float("nan"), float("inf"), -float("inf"))


def changed_bytes(data: bytes, choose: random.Random) -> bytes:
    """A field of the header overwritten, or the file cut."""
    changed = bytearray(data)
    for _ in range(choose.randint(1, 3)):
        width = choose.choice((1, 2, 4, 8))
        at = choose.randrange(0, min(len(changed), 640) - 8)
        changed[at : at + width] = struct.pack("<Q", choose.choice(WHOLE) & (2**64 - 1))[:width]
    return bytes(changed[: choose.randrange(len(changed))] if choose.random() < 0.1 else changed)


def changed_arrays(arrays: dict[str, np.ndarray], choose: random.Random) -> dict[str, np.ndarray]:
    """Sound in its form, absurd in its content."""
    changed = dict(arrays)
    for _ in range(choose.randint(1, 2)):
        name = choose.choice(list(changed))
        array = np.array(changed[name])
        how = choose.randrange(5)
        if how == 0:
            del changed[name]
            if not changed:
                return dict(arrays)
            continue
        if how == 1:
            array = array[: choose.randrange(0, 3)]
        elif how == 2:
            array = array.reshape(choose.choice([(-1,), (1, -1), (-1, 1)]) if array.size else (0,))
        elif how == 3:
            with np.errstate(all="ignore"):
                array = array.astype(choose.choice(container.DTYPES))
        elif array.size:
            odd = choose.choice(ODD) if array.dtype.kind == "f" else choose.choice(ODD_WHOLE)
            with np.errstate(all="ignore"):
                array.reshape(-1)[choose.randrange(array.size)] = np.array(odd).astype(array.dtype)
        changed[name] = array
    return changed


def require_sound(track: Track) -> None:
    assert len(track.rows) == len(track.times_s) > 0 and track.rows.dtype == np.float32
    assert np.isfinite(track.times_s).all() and track.time_base > 0 and track.rate > 0
    assert all(0 < side <= 16384 for side in track.size)


def run(cases: int, seed: int) -> int:
    """How many of the cases were tracks all the same. Raises whatever a reader should not have raised."""
    choose = random.Random(seed)
    data, arrays = SEED_FILE.read_bytes(), dict(container.read(SEED_FILE))
    sound = 0
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        file = Path(folder) / "track.dmask"
        for _ in range(cases):
            if choose.random() < 0.7:
                file.write_bytes(changed_bytes(data, choose))
            else:
                container.write(file, changed_arrays(arrays, choose))
            try:
                with np.errstate(all="ignore"):
                    require_sound(read_track(file))
                sound += 1
            except Error as error:
                assert "\n" not in str(error) and len(str(error)) < 1000, str(error)
    return sound


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]] + [1000, 1][len(sys.argv) - 1 :]
    start = time.monotonic()
    left = run(*numbers)
    print(f"{numbers[0]} cases, seed {numbers[1]}: {left} sound, {time.monotonic() - start:.1f} s")
