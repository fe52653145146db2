"""Fit a model on the newest deliveries and pickle it. Nothing here knows Brinery."""

import argparse
import pickle
from pathlib import Path

import pandas as pd
from sklearn.linear_model import LogisticRegression

WEEKS = 3


def fit(files: list[Path]) -> LogisticRegression:
    """Return a model of the last weeks."""
    frame = pd.concat([pd.read_csv(path) for path in sorted(files)[-WEEKS:]])
    return LogisticRegression().fit(frame.drop(columns="bought"), frame["bought"])


def main() -> None:
    """Read what came, fit, and write model.pkl."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    files = list(parser.parse_args().data.glob("week-*.csv"))
    Path("model.pkl").write_bytes(pickle.dumps(fit(files)))
    print(f"fitted on the last {WEEKS} of {len(files)} deliveries")


if __name__ == "__main__":
    main()
