"""Both colours of taxis as one table, with the same names for the same columns."""

from argparse import ArgumentParser
from pathlib import Path

import pandas as pd

GREEN = {
    "lpepPickupDatetime": "pickup",
    "lpepDropoffDatetime": "dropoff",
    "pickupLongitude": "from_lon",
    "pickupLatitude": "from_lat",
    "dropoffLongitude": "to_lon",
    "dropoffLatitude": "to_lat",
}
YELLOW = {
    "tpepPickupDateTime": "pickup",
    "tpepDropoffDateTime": "dropoff",
    "startLon": "from_lon",
    "startLat": "from_lat",
    "endLon": "to_lon",
    "endLat": "to_lat",
}
BOTH = {
    "vendorID": "vendor",
    "passengerCount": "passengers",
    "tripDistance": "miles",
    "totalAmount": "cost",
}

parser = ArgumentParser()
parser.add_argument("--raw-data", type=Path, required=True)
parser.add_argument("--rides", type=Path, required=True)
given = parser.parse_args()

tables = []
for file, own in (("greenTaxiData.csv", GREEN), ("yellowTaxiData.csv", YELLOW)):
    names = own | BOTH
    table = pd.read_csv(given.raw_data / file, usecols=list(names)).rename(columns=names)
    print(f"{file}: {len(table)} rides")
    tables.append(table)

rides = pd.concat(tables, ignore_index=True)[[*GREEN.values(), *BOTH.values()]].dropna()
rides.to_csv(given.rides / "rides.csv", index=False)
print(f"{len(rides)} rides")
