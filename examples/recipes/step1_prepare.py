"""Calls of a bank become the dataset `bank`."""

from pathlib import Path

import dataiku
import pandas as pd

calls = pd.read_csv(Path(__file__).parent / "bank.csv", sep=";")
# The month says more of the campaign than of who is called.
calls = calls.drop(columns=["day", "month"])

dataiku.Dataset("bank").write_with_schema(calls)
print(f"{len(calls):,} calls, {calls['y'].eq('yes').mean():.1%} with success")
