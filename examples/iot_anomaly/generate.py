"""Sensor readings as JSON lines: values of 10 to 20, and one in a hundred of 100 to 120."""

import argparse
import json
import random
import sys
from datetime import datetime, timedelta


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    draw = random.Random(arguments.seed)
    time = datetime(2026, 1, 1)
    for _ in range(arguments.rows):
        value = draw.randint(100, 120) if draw.random() < 0.01 else draw.randint(10, 20)
        reading = {"iotName": f"sensor-{draw.randint(1, 5)}", "iotValue": value, "time": time.isoformat(" ", "milliseconds")}
        sys.stdout.write(json.dumps(reading) + "\n")
        time += timedelta(milliseconds=20)


if __name__ == "__main__":
    main()
