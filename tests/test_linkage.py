"""Linkage: scores that are right where they can be computed by hand, attackers that find what is there."""

import numpy as np
import pytest

from dmask.evaluate.linkage import attackers, scores
from dmask.evaluate.linkage.crossed import crossed_pairs


def random_scores(n, signal, seed=0):
    random = np.random.default_rng(seed)
    return random.normal(size=(n, n)) + signal * np.eye(n)


def test_a_wilson_interval_is_the_known_one():
    share = scores.wilson(3, 405)
    assert share == pytest.approx((3 / 405, 0.002522, 0.021557), abs=2e-5)
    assert scores.wilson(0, 10).low == 0 and scores.wilson(10, 10).high == pytest.approx(1)
    with pytest.raises(ValueError, match="of at least one"):
        scores.wilson(0, 0)


def test_scores_that_are_all_alike_link_nobody():
    alike = np.zeros((40, 40))
    assert scores.auc(alike) == 0.5 and scores.rank_share(alike, 1).value == 0


def test_an_own_pair_above_all_others_is_a_hit_and_below_two_a_rank_of_three():
    table = np.zeros((4, 4))
    table[0, 0] = table[1, 2] = table[1, 3] = 1.0
    table[1, 1] = 0.5
    assert scores.ranks(table)[:2].tolist() == [0, 2]
    assert scores.rank_share(table + np.diag([0, 0, 2, 2]), 3).value == 1.0


def test_auc_counts_pairs():
    table = random_scores(12, 1.0)
    own, others = scores.split(table)
    by_hand = np.mean([[float(a > b) for b in others] for a in own])
    assert scores.auc(table) == pytest.approx(by_hand)


def test_the_jackknife_leaves_out_one_person_with_all_his_pairs():
    table = random_scores(9, 0.7)
    left_out = [scores.auc(np.delete(np.delete(table, i, 0), i, 1)) for i in range(9)]
    half = 1.96 * np.sqrt(8 / 9 * np.sum((left_out - np.mean(left_out)) ** 2))
    found = scores.auc_with_interval(table)
    assert found.value - found.low == pytest.approx(half)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    truth = 0.7602  # of a shift by one standard deviation
    found = [scores.auc_with_interval(random_scores(40, 1.0, seed)) for seed in range(200)]
    assert 0.9 <= np.mean([low <= truth <= high for _, low, high in found]) <= 0.99


def test_acceptance_at_a_rate_of_false_ones():
    table = random_scores(300, 0.0)
    assert scores.tar_at_far(table, 0.1) == pytest.approx(0.1, abs=0.06)
    assert scores.tar_at_far(table + 20 * np.eye(300), 0.001) == 1.0
    false, true = scores.roc(table)
    assert false[0] <= false[-1] == 1.0 and true[-1] == 1.0 and (np.diff(false) >= 0).all()


@pytest.mark.parametrize("bad", [np.zeros((2, 3)), np.zeros(4), np.full((3, 3), np.nan)])
def test_scores_that_are_none_are_refused(bad):
    with pytest.raises(ValueError, match="expected"):
        scores.auc(bad)


def people(count, identity, noise, seed=0, size=12):
    """Two releases each and an embedding of people who differ along `identity` directions."""
    random = np.random.default_rng(seed)
    who = random.normal(size=(count, identity))
    to_features, to_embedding = np.random.default_rng(99).normal(size=(2, identity, size))
    releases = [who @ to_features + noise * random.normal(size=(count, size)) for _ in range(2)]
    embedding = who @ to_embedding + 0.1 * random.normal(size=(count, size))
    return releases, embedding


def test_what_correlates_with_faces_links_people_who_were_not_learnt_from():
    (train, _), faces = people(2000, 4, 2.0)
    (a, b), known = people(150, 4, 2.0, seed=1)
    attacker = attackers.CanonicalCorrelation(train, faces)
    assert scores.auc(attacker.to_faces(a, known)) > 0.9
    assert scores.auc(attacker.to_released(a, b)) > 0.85


def test_pairs_of_other_people_teach_what_stays_with_a_person():
    (first, second), _ = people(400, 4, 2.0)
    (a, b), _ = people(150, 4, 2.0, seed=1)
    assert scores.auc(attackers.Discriminant(first, second).to_released(a, b)) > 0.85


def test_nothing_links_where_nothing_stays_with_a_person():
    """And where the labels are shuffled: the control that says that an attack is none of an artefact."""
    (train, second), faces = people(1000, 4, 2.0)
    (a, b), known = people(300, 4, 2.0, seed=1)
    shuffled = np.random.default_rng(5).permutation(1000)
    control = attackers.CanonicalCorrelation(train, faces[shuffled])
    assert abs(scores.auc(control.to_faces(a, known)) - 0.5) < 0.06
    noise = [np.random.default_rng(seed).normal(size=(300, 12)) for seed in (1, 2)]
    pairs = attackers.Discriminant(train, second)
    assert abs(scores.auc(pairs.to_released(*noise)) - 0.5) < 0.06


def test_an_empty_cell_is_a_feature_and_no_hole():
    (train, _), faces = people(2000, 4, 2.0)
    (a, b), known = people(150, 4, 2.0, seed=1)
    for table in (train, a, b):
        table[::3, 5] = np.nan
        table[:, 7] = np.nan  # withheld from everybody
    attacker = attackers.CanonicalCorrelation(train, faces)
    found = attacker.to_faces(a, known)
    assert np.isfinite(found).all() and scores.auc(found) > 0.85


def test_features_that_stay_with_a_person_are_chosen_among_many_that_do_not():
    random = np.random.default_rng(2)
    noise = random.normal(size=(2, 150, 400))
    (a, b), _ = people(150, 4, 1.0, seed=1)
    first, second = (np.hstack([n, own, np.zeros((150, 1))]) for n, own in zip(noise, (a, b), strict=True))
    stays = attackers.constancy(first, second)
    assert stays[400:412].min() > 0.5 > 0.3 > stays[:400].max() and stays[-1] == -1
    found = crossed_pairs(first, second, lambda x, y: attackers.Chosen(x, y, 12))
    assert scores.auc(found) > 0.85 and scores.rank_share(found, 1).value > 0.1
    by_all = crossed_pairs(first, second, lambda x, y: attackers.Chosen(x, y, 413))
    assert scores.auc(by_all) < scores.auc(found)


def test_nobody_is_learnt_from_who_is_looked_for_or_looked_at():
    seen = []

    class Remembers:
        def __init__(self, first, second):
            assert (first == second).all()
            self.known = set(first[:, 0])

        def to_released(self, query, gallery):
            assert not self.known & (set(query[:, 0]) | set(gallery[:, 0]))
            seen.append(len(self.known))
            return query[:, :1] + 1000 * gallery[:, 0][None]

    who = np.arange(30.0)[:, None]
    found = crossed_pairs(who, who, Remembers, folds=5)
    assert (found == who + 1000 * who.T).all()
    assert set(seen) == {18}  # as many where query and gallery are of one fold


def test_an_attacker_of_many_features_that_say_nothing_is_at_chance():
    """What he has learnt from does not stand out in the gallery."""
    noise = np.random.default_rng(4).normal(size=(2, 120, 300))
    found = crossed_pairs(*noise, lambda x, y: attackers.Chosen(x, y, 60))
    assert abs(scores.auc(found) - 0.5) < 0.08 and scores.rank_share(found, 1).low <= 1 / 120


@pytest.mark.parametrize("folds", [2, 21])
def test_folds_that_leave_nobody_to_learn_from_are_refused(folds):
    with pytest.raises(ValueError, match="expected 3 folds or more"):
        crossed_pairs(np.zeros((20, 2)), np.zeros((20, 2)), attackers.Discriminant, folds=folds)


@pytest.mark.parametrize("people", [1, 2, 3, 8, 9])
def test_a_median_is_of_what_is_there(people):
    random = np.random.default_rng(people)
    features = random.normal(size=(people, 50))
    features[random.random(features.shape) < 0.4] = np.nan
    expected = [np.median(c[np.isfinite(c)]) if np.isfinite(c).any() else 0 for c in features.T]
    assert np.array_equal(attackers.medians(features), expected)
