#!/usr/bin/env python3
"""Splits the nycflights13 tables into landing files: what an airport would drop into a bucket each day.

    events/split_landing.py NYCFLIGHTS13_DIR OUT_DIR [--month N]

NYCFLIGHTS13_DIR holds flights.csv.zip, weather.csv, airlines.csv, airports.csv and planes.csv of the
nycflights13 package (CC0). OUT_DIR gets flights/YYYY-MM-DD.csv.gz and weather/YYYY-MM-DD.csv.gz, one
file for each local date, and reference/*.csv. Without --month the whole year is written. Equal input
gives equal bytes.
"""

import argparse
import csv
import gzip
import io
import pathlib
import shutil
import zipfile


def by_local_date(rows, month):
    """Groups rows by their year, month and day columns, keeping their order."""
    days = {}
    for row in rows:
        if month is None or int(row["month"]) == month:
            day = f"{int(row['year']):04}-{int(row['month']):02}-{int(row['day']):02}"
            days.setdefault(day, []).append(row)
    return days


def write_days(rows, columns, month, folder):
    """Writes one gzip CSV per local date."""
    folder.mkdir(parents=True, exist_ok=True)
    for day, day_rows in by_local_date(rows, month).items():
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(day_rows)
        # No time and no name in the header, so that equal input gives equal bytes.
        (folder / f"{day}.csv.gz").write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--month", type=int)
    arguments = parser.parse_args()
    with (
        zipfile.ZipFile(arguments.data / "flights.csv.zip") as archive,
        io.TextIOWrapper(archive.open("flights.csv"), "utf-8", newline="") as file,
    ):
        flights = csv.DictReader(file)
        write_days(flights, flights.fieldnames, arguments.month, arguments.out / "flights")
    with (arguments.data / "weather.csv").open(encoding="utf-8", newline="") as file:
        weather = csv.DictReader(file)
        write_days(weather, weather.fieldnames, arguments.month, arguments.out / "weather")
    reference = arguments.out / "reference"
    reference.mkdir(parents=True, exist_ok=True)
    for table in ("airlines", "airports", "planes"):
        shutil.copyfile(arguments.data / f"{table}.csv", reference / f"{table}.csv")


if __name__ == "__main__":
    main()
