"""`dmask doctor`: what is installed, whether it is whole, and what would be used."""

from __future__ import annotations

import argparse
import json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    from dmask.installation import examine

    report = examine()
    if args.json:
        print(json.dumps(report, indent=2))
    else:
        for name, value in report.items():
            if name == "problems":
                continue
            if isinstance(value, dict):
                print(name)
                for key, text in value.items():
                    print(f"  {key:<42} {text}")
            else:
                print(f"{name:<44} {value}")
        for problem in report["problems"]:
            print(f"PROBLEM  {problem}")
        print("everything that is needed is here" if not report["problems"] else "")
    return 1 if report["problems"] else 0
