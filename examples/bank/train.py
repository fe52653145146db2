"""Fit the demo's model on the UCI Bank Marketing data and pickle it, as a data scientist would.

Writes two files beside this one: `model.pkl`, a fitted scikit-learn pipeline, and `test.csv`, the
fifth of the rows that it never saw, in the form of the original. Nothing here knows Brinery.
"""

import pickle
from pathlib import Path

import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

HERE = Path(__file__).parent
NUMERIC = ["age", "balance", "duration", "previous", "campaign"]
CATEGORICAL = [
    "job",
    "marital",
    "education",
    "default",
    "housing",
    "loan",
    "contact",
    "poutcome",
]


def main(folder: Path = HERE, *, trees: int = 100) -> None:
    """Split, fit, and write both files to a folder."""
    data = pd.read_csv(HERE / "bank.csv", sep=";")
    train, test = train_test_split(data, test_size=0.2, random_state=0, stratify=data["y"])
    preparation = ColumnTransformer(
        [
            ("numeric", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), NUMERIC),
            ("categorical", OneHotEncoder(handle_unknown="ignore"), CATEGORICAL),
        ]
    )
    model = Pipeline(
        [
            ("preparation", preparation),
            ("forest", RandomForestClassifier(n_estimators=trees, random_state=0, n_jobs=1)),
        ]
    )
    model.fit(train.drop(columns="y"), train["y"])
    with (folder / "model.pkl").open("wb") as file:
        pickle.dump(model, file)
    test.to_csv(folder / "test.csv", sep=";", index=False)
    print(f"model.pkl fitted on {len(train)} rows; test.csv holds the other {len(test)}")


if __name__ == "__main__":
    main()
