"""A source of data that drifts: what makes visitors of a shop buy changes over the year.

Each week brings `incoming/week-NN.csv`, and `holdout.csv` with rows of now that no training sees.
Every seventh delivery is bad: two of its columns are mixed up. Everything is drawn by a seed.
Nothing here knows Brinery.
"""

from pathlib import Path

import numpy as np
import pandas as pd

ROWS, HELD_OUT = 400, 1500
COLUMNS = ["minutes", "pages", "price", "returning"]
BAD_EVERY = 7


def weights(week: int) -> np.ndarray:
    """Return what each column counts in a week: half a turn in a year."""
    angle = np.pi * week / 52
    return 1.5 * np.array([np.cos(angle), np.sin(angle), -0.5 * np.cos(angle), 0.4])


def rows(week: int, count: int, seed: int) -> pd.DataFrame:
    """Return visitors of a week, and whether they bought."""
    random = np.random.default_rng([seed, week, count])
    inputs = random.normal(size=(count, len(COLUMNS)))
    chance = 1 / (1 + np.exp(-(inputs @ weights(week))))
    frame = pd.DataFrame(inputs.round(4), columns=COLUMNS)
    return frame.assign(bought=np.where(random.random(count) < chance, "yes", "no"))


def deliver(folder: Path, week: int, seed: int = 1) -> None:
    """Write what a week brings."""
    incoming = folder / "incoming"
    incoming.mkdir(parents=True, exist_ok=True)
    frame = rows(week, ROWS, seed)
    if week % BAD_EVERY == 0:
        frame[["minutes", "price"]] = frame[["price", "minutes"]].to_numpy()
    # A file is complete when it has its name.
    part = folder / ".part"
    frame.to_csv(part, index=False)
    part.replace(incoming / f"week-{week:02}.csv")
    rows(week, HELD_OUT, seed + 1).to_csv(folder / "holdout.csv", index=False)
