"""Draws the readings of the sensors, their anomaly scores, and which readings are strange.

The readings go into StreamSQL as an Arrow table and come back, scored, as another one; matplotlib gets its columns.

    python examples/iot_anomaly/generate.py > sensor.jsonl
    python examples/anomaly_plot/plot.py sensor.jsonl anomalies.png
"""

import argparse
from pathlib import Path

import matplotlib as mpl
import pyarrow as pa
import pyarrow.json

import streamsql

APPLICATION = Path(__file__).parents[1] / "iot_anomaly" / "anomaly.sql"

STRANGE = 3.0
"""A reading is drawn as strange when its score is so many standard deviations above the mean."""


def scored(readings: pa.Table) -> pa.Table:
    """The readings with their times and scores, in their order."""
    with streamsql.connect() as con:
        con.execute('CREATE STREAM "SOURCE_SQL_STREAM_001" ("iotName" VARCHAR(40), "iotValue" INTEGER)')
        con.executescript(APPLICATION.read_text(encoding="utf-8"))
        live = con.execute(
            'SELECT STREAM ROWTIME AS "time", "iotName", "iotValue", ANOMALY_SCORE FROM "SCORED_STREAM" LIMIT ?', (len(readings),)
        )
        con.executemany(
            'INSERT INTO "SOURCE_SQL_STREAM_001" (ROWTIME, "iotName", "iotValue") '
            "VALUES (CAST(:time AS TIMESTAMP), :iotName, :iotValue)",
            readings,
        )
        return live.fetch_arrow_table()


def draw(rows: pa.Table, path: Path) -> int:
    """Draw them into a PNG; gives the number of strange readings."""
    mpl.use("Agg")
    from matplotlib import pyplot

    time, value, score = (rows[name].to_numpy() for name in ("time", "iotValue", "ANOMALY_SCORE"))
    limit = score.mean() + STRANGE * score.std()
    strange = score > limit
    figure, (above, below) = pyplot.subplots(2, sharex=True, figsize=(11, 6), layout="constrained")
    above.plot(time[~strange], value[~strange], ".", markersize=2, color="tab:gray", label="reading")
    above.plot(time[strange], value[strange], "o", markersize=4, color="tab:red", label=f"{strange.sum():,} strange ones")
    above.set_ylabel("value")
    above.legend(loc="center right")
    below.plot(time, score, linewidth=0.5, color="tab:blue")
    below.axhline(limit, linewidth=1, linestyle="--", color="tab:red", label=f"mean + {STRANGE:g} standard deviations")
    below.set_ylabel("ANOMALY_SCORE")
    below.set_ylim(top=1.25 * score.max())
    below.legend(loc="upper right")
    figure.suptitle(f"{len(rows):,} readings of {len(rows['iotName'].unique())} sensors, scored by RANDOM_CUT_FOREST")
    figure.savefig(path, dpi=120)
    return int(strange.sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("readings", type=Path, help="JSON lines, as examples/iot_anomaly/generate.py writes them")
    parser.add_argument("png", type=Path)
    arguments = parser.parse_args()
    rows = scored(pyarrow.json.read_json(arguments.readings))
    print(f"{draw(rows, arguments.png)} of {len(rows):,} readings are strange: {arguments.png}")


if __name__ == "__main__":
    main()
