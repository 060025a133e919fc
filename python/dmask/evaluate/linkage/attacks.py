"""Every attack on what profiles let out: who has what, learns from whom, and how well he links.

Originals are attacked by people who learn from others: of folds of the originals the people of the other
folds, and all pictures of --learn-from. Query i and gallery i are of one person; all people of a gallery are
candidates of every query, and neither side of a pair was learnt from.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from dmask.errors import WrongUse
from dmask.evaluate.linkage import scores
from dmask.evaluate.linkage.attackers import (
    CanonicalCorrelation,
    Discriminant,
    Looks,
    Standard,
    principal_axes,
)
from dmask.evaluate.linkage.crossed import Scores, crossed
from dmask.evaluate.linkage.originals import Pair
from dmask.evaluate.linkage.shards import Rows

FOLDS = 5
LEAST_PEOPLE = 20  # with two pictures each: fewer say nothing
ENOUGH_TO_TRAIN = 1000  # pictures of other people
ORIGINAL = "original"  # nothing was done to it
HAS = {  # what an attacker holds, by the rows that he learns from
    "mask": ("mask",),
    "mask turned straight": ("straight",),
    "files": ("numbers",),
    "mask and files": ("mask", "numbers"),
}
FACE_COMPONENTS = 160
FAR = 1e-2


@dataclass
class Material:
    """What there is of everybody: rows of pictures, (N, ...) each, and whose they are."""

    people: list[str]  # (N,)
    other: list[Pair]  # a person's pictures of two sessions
    same: list[Pair]  # of one session
    rows: Rows  # releases_of()
    faces: np.ndarray  # (N, E) recognisers' of the originals
    seen: dict[tuple[str, str], np.ndarray]  # (N, E) recognisers' of masks and of obscured pictures, by whose
    originals: dict[str, np.ndarray]  # (N, E) the same recognisers' of the originals
    others: Rows  # of people to learn from, one picture each or more
    other_faces: np.ndarray


class Attack(NamedTuple):
    of: str  # a profile, or how a picture was obscured
    has: str
    attacker: str
    against: str  # faces or masks
    session: str  # other, same; or the very picture
    people: int
    rank1: scores.Share
    rank5: scores.Share
    auc: scores.Share
    tar: float  # at FAR
    control_auc: float  # 0.5 but for chance: he learnt from faces of other people than the masks', or the
    # gallery's masks were exchanged
    roc: tuple[np.ndarray, np.ndarray]


def attacked(
    name: tuple[str, str, str, str, str], pairs: list[Pair], score: Callable[[bool], np.ndarray]
) -> Attack:
    """The figures of an attack; `score` gives (Q, G), and those of its control where it is told so."""
    table = score(False)
    return Attack(
        *name,
        len(pairs),
        scores.rank_share(table, 1),
        scores.rank_share(table, min(5, len(pairs))),
        scores.auc_with_interval(table),
        scores.tar_at_far(table, FAR),
        scores.auc(score(True)),
        scores.roc(table),
    )


def sessions(material: Material) -> Iterator[tuple[str, list[Pair]]]:
    for name, pairs in (("other", material.other), ("same", material.same)):
        if len(pairs) >= LEAST_PEOPLE:
            yield name, pairs


def galleries(material: Material) -> Iterator[tuple[str, str, list[Pair]]]:
    """Against what, of which session, and the pairs. A mask may be held against the very picture it is of."""
    for session, pairs in sessions(material):
        yield "faces", session, pairs
        yield "masks", session, pairs
        if session == "other":
            yield "faces", "the very picture", [Pair(pair.query, pair.query) for pair in pairs]


def frozen_attacks(material: Material, of: str) -> Iterator[Attack]:
    """Recognisers as they are: they never saw a mask."""
    for (whose, recogniser), codes in material.seen.items():
        if whose != of:
            continue
        for against, session, pairs in galleries(material):
            if of == ORIGINAL and against != "faces":
                continue  # the same thing
            known = material.originals[recogniser] if against == "faces" else codes
            score = partial(likenesses, codes, known, pairs)
            yield attacked((of, "mask", recogniser, against, session), pairs, score)


def likenesses(codes: np.ndarray, known: np.ndarray, pairs: list[Pair], control: bool) -> np.ndarray:
    """(Q, G) cosines; the control's gallery is in any order."""
    query, gallery = codes[[pair.query for pair in pairs]], known[[pair.gallery for pair in pairs]]
    return np.asarray(query @ exchanged(gallery, control).T, np.float64)


def learned_attacks(material: Material, profile: str) -> Iterator[Attack]:
    """Attackers with dmask, who learn from their own masks of other people."""
    for has in HAS:
        held = Held.of(material, profile, has)
        for against, session, pairs in galleries(material):
            score = partial(over_folds, held, pairs, partial(correlated, against))
            yield attacked((profile, has, "correlation with faces", against, session), pairs, score)
        for session, pairs in sessions(material):
            score = partial(over_folds, held, pairs, discriminated)
            yield attacked((profile, has, "discriminant", "masks", session), pairs, score)


@dataclass
class Held:
    """What an attacker holds of all originals, and of the people who are there to learn from."""

    material: Material
    features: np.ndarray  # (N, D)
    of_others: np.ndarray  # (M, D)
    attackers: dict[Any, Any] = field(default_factory=dict)  # who learnt already, by what from

    @classmethod
    def of(cls, material: Material, profile: str, has: str) -> Held:
        parts: list[tuple[np.ndarray, np.ndarray]] = []
        for name in HAS[has]:
            mine, others = (rows[f"{profile}_{name}"] for rows in (material.rows, material.others))
            if mine.ndim == 3:
                looks = Looks(np.concatenate([mine, others]))
                mine, others = looks(mine), looks(others)
            parts.append((mine, others))
        mine, others = (np.hstack(part) for part in zip(*parts, strict=True))
        return cls(material, mine, others)

    def correlation(self, learnt: np.ndarray, exchanged: bool) -> CanonicalCorrelation:
        """From people of whom masks and faces are known; `exchanged`, the faces are other people's."""
        key = (learnt.tobytes(), exchanged)
        if key not in self.attackers:
            # Halves of them are compared: neither may be of one source.
            features = shuffled(np.concatenate([self.features[learnt], self.of_others]), 1)
            faces = np.concatenate([self.material.faces[learnt], self.material.other_faces])
            self.attackers[key] = CanonicalCorrelation(features, shuffled(faces, 2 if exchanged else 1))
        found: CanonicalCorrelation = self.attackers[key]
        return found

    def discriminant(self, learnt: np.ndarray, pairs: list[Pair]) -> Discriminant:
        """From people of whom two masks are known."""
        key = (learnt.tobytes(), tuple(pairs))
        if key not in self.attackers:
            known = [pair for pair in pairs if learnt[pair.query]]
            first, second = (self.features[[pair[end] for pair in known]] for end in (0, 1))
            self.attackers[key] = Discriminant(first, second, self.of_others)
        found: Discriminant = self.attackers[key]
        return found


FoldScores = Callable[[Held, np.ndarray, list[Pair], bool], np.ndarray]


def over_folds(held: Held, pairs: list[Pair], scores_of: FoldScores, control: bool) -> np.ndarray:
    """(Q, G) by attackers who learnt from neither side of a pair."""
    people = np.array(held.material.people)

    def without(left_out: np.ndarray) -> Scores:
        theirs = people[[pairs[i].query for i in left_out]]
        table = scores_of(held, ~np.isin(people, theirs), pairs, control)
        return lambda rows, columns: table[np.ix_(rows, columns)]

    return crossed(len(pairs), without, FOLDS)


def correlated(against: str, held: Held, learnt: np.ndarray, pairs: list[Pair], control: bool) -> np.ndarray:
    material, to_faces = held.material, against == "faces"
    attacker = held.correlation(learnt, control and to_faces)
    query, at = held.features[[pair.query for pair in pairs]], [pair.gallery for pair in pairs]
    if to_faces:
        return attacker.to_faces(query, material.faces[at])
    return attacker.to_released(query, exchanged(held.features[at], control))


def discriminated(held: Held, learnt: np.ndarray, pairs: list[Pair], control: bool) -> np.ndarray:
    query = held.features[[pair.query for pair in pairs]]
    gallery = held.features[[pair.gallery for pair in pairs]]
    return held.discriminant(learnt, pairs).to_released(query, exchanged(gallery, control))


def exchanged(gallery: np.ndarray, control: bool) -> np.ndarray:
    """A control's gallery: of the same people in another order."""
    return shuffled(gallery, 4) if control else gallery


def shuffled(rows: np.ndarray, seed: int) -> np.ndarray:
    return np.asarray(rows[np.random.default_rng(seed).permutation(len(rows))])


def network_attacks(material: Material, profile: str) -> Iterator[Attack]:
    """A small network on masks and files: trained once where there are enough others, else once for each pair
    of folds."""
    held = Held(material, np.zeros((len(material.people), 0)), np.zeros((len(material.other_faces), 0)))
    enough = len(material.other_faces) >= ENOUGH_TO_TRAIN
    for against, session, pairs in galleries(material):
        of = partial(networked, profile, against)
        score = (
            partial(of, held, np.zeros(len(material.people), bool), pairs)
            if enough
            else partial(over_folds, held, pairs, of)
        )
        yield attacked((profile, "mask and files", "network", against, session), pairs, score)


def networked(
    profile: str, against: str, held: Held, learnt: np.ndarray, pairs: list[Pair], control: bool
) -> np.ndarray:
    to_faces = against == "faces"
    key = (learnt.tobytes(), control and to_faces)
    if key not in held.attackers:
        held.attackers[key] = network_codes(held.material, profile, learnt, control and to_faces)
    released, faces = held.attackers[key]
    gallery = (faces if to_faces else released)[[pair.gallery for pair in pairs]]
    return np.asarray(
        released[[pair.query for pair in pairs]] @ exchanged(gallery, control and not to_faces).T
    )


def network_codes(
    material: Material, profile: str, learnt: np.ndarray, control: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Codes of all originals' releases and faces, from a network that learnt from `learnt` and the others."""
    from dmask.evaluate.linkage.network import Network

    mine, others = material.rows, material.others
    masks = np.concatenate([mine[f"{profile}_mask"][learnt], others[f"{profile}_mask"]])
    numbers = np.concatenate([mine[f"{profile}_numbers"][learnt], others[f"{profile}_numbers"]])
    faces = np.concatenate([material.faces[learnt], material.other_faces])
    standard = Standard(numbers)
    order = np.random.default_rng(1).permutation(len(faces))
    net = Network(masks[order], standard(numbers)[order], shuffled(faces, 2) if control else faces[order])
    return net.released(mine[f"{profile}_mask"], standard(mine[f"{profile}_numbers"])), net.faces(
        material.faces
    )


def reduced(faces: np.ndarray) -> np.ndarray:
    """(N, E) to those directions in which faces differ most."""
    centred = faces - faces.mean(0)
    return np.asarray(centred @ principal_axes(centred, FACE_COMPONENTS))


def check_network() -> None:
    """Raises WrongUse where torch is missing."""
    if importlib.util.find_spec("torch") is None:
        raise WrongUse(
            "the attacker who trains a network needs torch, which is not installed; expected it from "
            '`pip install "dmask[train]"`, or give --no-network and the study goes without him'
        )
