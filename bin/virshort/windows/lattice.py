"""The order in which start positions are drawn: a lattice whose every beginning is spread evenly over all positions.

The n valid start positions of a drawing unit are visited as (o + i * s) mod n for i = 0, 1, 2, ..., where the step s is coprime
to n and close to n divided by the golden ratio. Every position is visited once before any is visited twice, and each stretch of
the order is spread evenly (Weyl's equidistribution; Knuth, The Art of Computer Programming, vol. 3, section 6.4). Windows are
therefore distinct and spread out, the first windows of a larger draw are the smaller draw, and nothing needs to be remembered.
"""

import math

import numpy as np

_GOLDEN = 0.6180339887498949
_EARLY_DRAWS = 100
_CLUMPS = 10


def lattice_step(size: int) -> int:
    """The step of the lattice over `size` positions: coprime to `size`, near size / golden ratio, and free of early clumps.

    The step is the largest number up to size / golden ratio that is coprime to `size` and that leaves no clumps in the
    first hundred draws. By the three-distance theorem, clumps arise where step / size lies too close to a fraction with a
    small denominator j: each draw then lands next to the one j draws before, at a distance of d = j * step mod size (or
    size - d), and the draws form j clumps. The first 100 draws hold 100 / j in each clump, so that the clumps spread over
    100 / j * d positions, and fill the gaps of size / j between them only if d >= size / 100. A step is therefore rejected
    if d < size / 100 for any j < 10; ten clumps or more are as even as a tenth of the positions can show.

    In terms of continued fractions, a convergent of step / size with denominator j must not be followed by a quotient above
    about 100 / j. All quotients of the golden ratio are 1, and its first nine multiples stay 0.055 away from whole numbers.
    Only small sizes are affected, whose nearest coprime number may lie far from the golden ratio. The largest of them is
    308: with step 185, since 5 * 185 = 3 * 308 + 1, the draws would form five clumps, and its step is 183 instead.
    """
    step = max(1, int(size * _GOLDEN))
    while math.gcd(step, size) > 1 or _makes_clumps(step, size):
        step -= 1
    return step


def _makes_clumps(step: int, size: int) -> bool:
    """Whether a step visits fewer than ten clumps of positions in its first hundred draws."""
    distances = (min(j * step % size, -j * step % size) for j in range(1, min(_CLUMPS, size)))
    return any(d * _EARLY_DRAWS < size for d in distances)


def hash_number(key: np.ndarray, number: np.ndarray | np.uint64) -> np.ndarray:
    """Pseudorandom numbers, [n] uint64, from keys and numbers (splitmix64: Steele, Lea and Flood 2014).

    key: [n] uint64; number: [n] uint64, or a single one for all keys."""
    with np.errstate(over="ignore"):
        z = key + number * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def uniform(key: np.ndarray, number: np.ndarray | np.uint64) -> np.ndarray:
    """Pseudorandom numbers in [0, 1), [n] float64, from the arguments of `hash_number`."""
    return (hash_number(key, number) >> np.uint64(11)) * 2.0**-53
