"""`dmask report`: what a run measured as one page, or two runs of one patient side by side."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dmask.errors import WrongUse
from dmask.ranges import place


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "input",
        type=place,
        nargs="+",
        metavar="OUT",
        help="the folder of a `dmask run`; a second one of the same patient is compared with it",
    )
    parser.add_argument(
        "-o",
        "--output",
        dest="page",
        type=place,
        metavar="FILE",
        help="a name that ends in .html; default: report.html in OUT, of two comparison.html in the second",
    )
    parser.add_argument("--language", choices=("en", "de"), default="en", help="of the page; default: en")
    parser.add_argument("--pdf", action="store_true", help="print it, too, beside the page: needs Chromium")
    parser.add_argument("--overwrite", action="store_true", help="replace a report that is there already")


def run(args: argparse.Namespace) -> int:
    from dmask.commands.places import check_can_be_made
    from dmask.io.atomic import atomic_file
    from dmask.report.page import page
    from dmask.report.pdf import browser, print_pdf
    from dmask.report.visit import read_visit

    folders: list[Path] = args.input
    if len(folders) > 2:
        raise WrongUse(f"got {len(folders)} folders; expected one, or two of the same patient")
    if len(folders) == 2 and folders[0].resolve() == folders[1].resolve():
        raise WrongUse(f"got {folders[0]} twice; expected two recordings of the same patient")
    out = args.page or folders[-1] / ("report.html" if len(folders) == 1 else "comparison.html")
    if out.suffix.lower() not in (".html", ".htm"):
        raise WrongUse(f"got {out.name} as output; expected a name that ends in .html")
    check_can_be_made("output", out)
    made = [out, *([out.with_suffix(".pdf")] if args.pdf else [])]
    for path in made:
        if path.exists() and not args.overwrite:
            raise WrongUse(f"{path} exists already; give --overwrite to replace it, or another name")
    chromium = browser() if args.pdf else ""
    said = (lambda part: print(f"reading {part}", file=sys.stderr)) if sys.stderr.isatty() else None
    visits = [read_visit(folder, said) for folder in folders]
    text = page(visits, args.language, out.parent)
    with atomic_file(out, args.overwrite) as partial:
        partial.write_text(text, encoding="utf-8")
    if args.pdf:
        print_pdf(chromium, out, out.with_suffix(".pdf"), args.overwrite)
    missing = sum(one.value is None for visit in visits for one in visit.records)
    print(f"{', '.join(map(str, made))}: {sum(len(one.records) for one in visits) - missing} measures, "
          f"{missing} not measured")  # fmt: skip
    return 0
