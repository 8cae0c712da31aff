"""Writes the interview report, weekly (text) or json, to --output or stdout."""

import argparse
import json
import sys
from datetime import datetime, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from shopifly import interviews, store  # noqa: E402


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--format", choices=["weekly", "json"], required=True)
    options.add_argument("--output", type=Path)
    args = options.parse_args()
    report = {"interviews": interviews.report(), "posts": store.stats()}
    if args.format == "json":
        text = json.dumps(report, indent=2)
    else:
        year, week, _ = datetime.now(timezone.utc).isocalendar()
        lines = [f"# Interviews, week {year}-W{week:02}"]
        lines += [f"- {key}: {value}" for key, value in report["interviews"].items()]
        text = "\n".join(lines)
    if args.output:
        args.output.write_text(text + "\n")
    else:
        print(text)


if __name__ == "__main__":
    main()
