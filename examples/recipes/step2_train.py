"""The dataset `bank` becomes a pickled model in a folder, and the dataset `bank_test`."""

import pickle

import dataiku
from bank_model.training import trained

FOLDER = ""  # the default folder; any id or name elsewhere
TARGET = "y"

calls = dataiku.Dataset("bank").get_dataframe()
pipeline, test = trained(calls, target=TARGET)

with dataiku.Folder(FOLDER).get_writer("pipeline.pkl") as writer:
    writer.write(pickle.dumps(pipeline))
dataiku.Dataset("bank_test").write_with_schema(test)
