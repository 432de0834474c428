"""Orders and seeds that must be the same on every machine and in every version: their values are part of the contract."""

from stic_trainer.data.order import order, sample_without_replacement
from stic_trainer.data.seeds import item_seed


def test_an_order_is_a_permutation_of_its_seed_and_epoch() -> None:
    assert order(1, 0, 8) == [6, 7, 5, 3, 2, 4, 1, 0]
    assert sorted(order(1, 1, 100)) == list(range(100))
    assert len({tuple(order(seed, epoch, 20)) for seed in range(3) for epoch in range(3)}) == 9


def test_a_larger_sample_contains_a_smaller_one() -> None:
    small, large = sample_without_replacement(7, 100, 10), sample_without_replacement(7, 100, 30)
    assert small == sorted(small)
    assert (len(set(small)), set(small) <= set(large)) == (10, True)
    assert sample_without_replacement(7, 5, 0) == sample_without_replacement(7, 5, 9) == [0, 1, 2, 3, 4]


def test_an_items_seed_is_that_of_its_name() -> None:
    assert item_seed(2005, "prefer", "00000.png") == 7537165111619079415
    assert item_seed(1, "prefer", "a") != item_seed(1, "describe", "a") != item_seed(2, "describe", "a")
    assert 0 <= item_seed(0, "", "ü") < 2**63
