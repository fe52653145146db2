"""Places of a sequence of low discrepancy: trials that leave no part of the space out."""

from __future__ import annotations

from scipy.stats import qmc

from brinery.pipeline.sampling import Places


def places(*, dimensions: int, count: int, seed: int) -> tuple[Places, ...]:
    """Return the first places of a scrambled Sobol sequence.

    Args:
        dimensions: of the space.
        count: of trials.
        seed: that the sequence is scrambled with.

    Source: Sobol 1967; scrambled as by Owen 1998.
    """
    # Only powers of two are balanced; SciPy warns of other lengths, and ours is a beginning of one.
    sequence = qmc.Sobol(dimensions, scramble=True, rng=seed).random_base2((count - 1).bit_length())
    return tuple(tuple(map(float, row)) for row in sequence[:count])
