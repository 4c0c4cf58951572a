"""What the application found: the strangest readings, and how well they are told from the others."""

import json
import sys
from pathlib import Path

LEARNING = 256
"""Readings that the forest learns from before it scores: they have score 0."""


def main() -> None:
    rows = [json.loads(line) for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()]
    scored = [row for row in rows if row["ANOMALY_SCORE"] > 0]
    strange = [row for row in scored if row["iotValue"] >= 100]
    usual = [row for row in scored if row["iotValue"] < 100]
    print(f"{len(rows):,} readings, {len(strange)} anomalies among the {len(scored):,} scored ones; the ten highest scores:\n")
    print(f"{'created':<25}{'iotName':<12}{'iotValue':>8}{'score':>8}")
    for row in sorted(scored, key=lambda row: -row["ANOMALY_SCORE"])[:10]:
        print(f"{row['created']:<25}{row['iotName']:<12}{row['iotValue']:>8}{row['ANOMALY_SCORE']:>8.2f}")
    print(f"\nmean score of an anomaly {_mean(strange):.2f}, of any other reading {_mean(usual):.2f}")
    print(f"an anomaly scores higher than another reading in {_auc(strange, usual):.2%} of all pairs (AUC)")


def _mean(rows: list[dict[str, float]]) -> float:
    return sum(row["ANOMALY_SCORE"] for row in rows) / max(len(rows), 1)


def _auc(strange: list[dict[str, float]], usual: list[dict[str, float]]) -> float:
    """The share of pairs in which the anomaly has the higher score; ties count half."""
    ordered = sorted([(row["ANOMALY_SCORE"], 1) for row in strange] + [(row["ANOMALY_SCORE"], 0) for row in usual])
    below = wins = 0.0
    position = 0
    while position < len(ordered):
        tied = [label for score, label in ordered[position : _end(ordered, position)]]
        strange_here, usual_here = sum(tied), len(tied) - sum(tied)
        wins += strange_here * (below + usual_here / 2)
        below += usual_here
        position += len(tied)
    return wins / max(len(strange) * len(usual), 1)


def _end(ordered: list[tuple[float, int]], start: int) -> int:
    end = start
    while end < len(ordered) and ordered[end][0] == ordered[start][0]:
        end += 1
    return end


if __name__ == "__main__":
    main()
