"""Save a pickle as an MLflow model, by MLflow: `save_mlflow.py PICKLE FOLDER`."""

import pickle
import sys
from pathlib import Path

import mlflow.sklearn

model = pickle.loads(Path(sys.argv[1]).read_bytes())
mlflow.sklearn.save_model(model, sys.argv[2], serialization_format="cloudpickle")
