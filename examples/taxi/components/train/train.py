"""A gradient-boosted regression of the cost; some rides are kept aside for the steps to come."""

import pickle
from argparse import ArgumentParser
from pathlib import Path

import mlflow
import pandas as pd
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.model_selection import train_test_split

parser = ArgumentParser()
parser.add_argument("--features", type=Path, required=True)
parser.add_argument("--test-share", type=float, required=True)
parser.add_argument("--learning-rate", type=float, required=True)
parser.add_argument("--n-estimators", type=int, required=True)
parser.add_argument("--seed", type=int, default=7)
parser.add_argument("--model", type=Path, required=True)
parser.add_argument("--test-data", type=Path, required=True)
given = parser.parse_args()

rides = pd.read_csv(given.features / "features.csv")
train, test = train_test_split(rides, test_size=given.test_share, random_state=given.seed)
test.to_csv(given.test_data / "test.csv", index=False)

known = {"learning_rate": given.learning_rate, "n_estimators": given.n_estimators}
model = GradientBoostingRegressor(**known, random_state=given.seed)
model.fit(train.drop(columns="cost"), train["cost"])
(given.model / "model.pkl").write_bytes(pickle.dumps(model))

fit = model.score(train.drop(columns="cost"), train["cost"])
mlflow.log_params(known)
mlflow.log_metric("train_r2", fit)
print(f"{len(train)} rides to learn from, {len(test)} kept aside, r2 {fit:.4f} on the former")
