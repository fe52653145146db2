"""What the model says that the rides kept aside cost."""

import pickle
from argparse import ArgumentParser
from pathlib import Path

import pandas as pd

parser = ArgumentParser()
parser.add_argument("--model", type=Path, required=True)
parser.add_argument("--test-data", type=Path, required=True)
parser.add_argument("--scored", type=Path, required=True)
given = parser.parse_args()

model = pickle.loads((given.model / "model.pkl").read_bytes())
rides = pd.read_csv(given.test_data / "test.csv")
rides["predicted"] = model.predict(rides.drop(columns="cost"))
rides.to_csv(given.scored / "scored.csv", index=False)
print(f"{len(rides)} rides scored")
