"""Rides that are possible and within the city, with places and times as numbers."""

from argparse import ArgumentParser
from pathlib import Path

import pandas as pd

LONGITUDES = (-74.09, -73.72)
LATITUDES = (40.53, 40.88)

parser = ArgumentParser()
parser.add_argument("--rides", type=Path, required=True)
parser.add_argument("--max-miles", type=float, required=True)
parser.add_argument("--features", type=Path, required=True)
given = parser.parse_args()

rides = pd.read_csv(given.rides / "rides.csv", parse_dates=["pickup", "dropoff"])

within = rides["miles"].between(0, given.max_miles, inclusive="right") & (rides["cost"] > 0)
for end in ("from", "to"):
    within &= rides[f"{end}_lon"].between(*LONGITUDES) & rides[f"{end}_lat"].between(*LATITUDES)
rides = rides[within].copy()

for end in ("pickup", "dropoff"):
    when = rides[end].dt
    rides[f"{end}_month"] = when.month
    rides[f"{end}_day"] = when.day
    rides[f"{end}_weekday"] = when.day_of_week
    rides[f"{end}_hour"] = when.hour
    rides[f"{end}_minute"] = when.minute
    rides[f"{end}_second"] = when.second
rides["minutes"] = (rides["dropoff"] - rides["pickup"]).dt.total_seconds() / 60
rides["north"] = rides["to_lat"] - rides["from_lat"]
rides["east"] = rides["to_lon"] - rides["from_lon"]

features = rides.drop(columns=["pickup", "dropoff"])
features.to_csv(given.features / "features.csv", index=False)
print(f"{len(features)} rides with {features.shape[1] - 1} features")
