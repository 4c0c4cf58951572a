"""Draws the readings of the sensors, their anomaly scores, and which readings are strange.

What the demonstration wrote is read as a table of StreamSQL; matplotlib gets the columns of an Arrow table.

    make demo
    python examples/anomaly_plot/plot.py demo/scored.jsonl anomalies.png
"""

import argparse
from pathlib import Path

import matplotlib as mpl
import pyarrow as pa

import streamsql

STRANGE = 3.0
"""A reading is drawn as strange when its score is so many standard deviations above the mean."""


def scored(path: Path) -> pa.Table:
    """The readings with their times and scores, in the order of their times."""
    with streamsql.connect(references={"SCORED": path}) as con:
        query = 'SELECT CAST("created" AS TIMESTAMP) AS "time", "iotName", "iotValue", ANOMALY_SCORE FROM scored ORDER BY 1'
        return con.execute(query).fetch_arrow_table()


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
    parser.add_argument("readings", type=Path, help="JSON lines, as the application of examples/iot_anomaly writes them")
    parser.add_argument("png", type=Path)
    arguments = parser.parse_args()
    rows = scored(arguments.readings)
    print(f"{draw(rows, arguments.png)} of {len(rows):,} readings are strange: {arguments.png}")


if __name__ == "__main__":
    main()
