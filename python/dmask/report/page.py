"""report.html: one file, in one language, of one visit or of two of the same patient."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from dmask import environment
from dmask.measure.record import BOTH, EYES, Record
from dmask.report.change import Change, Pair, change_of, pairs
from dmask.report.charts import STILL_TICK, left_of, nine_gaze, nystagmus, of_visit, raster, still_plot
from dmask.report.figures import as_shown, interval_of, number, value_of, with_unit
from dmask.report.markup import Child, Markup, Row, Wide, element, escaped, joined, table
from dmask.report.traces import (
    Plot,
    Shade,
    decimated,
    packed_plots,
    parts_of,
    plots_of,
    shades_of,
)
from dmask.report.vendored import uplot
from dmask.report.visit import Mask, Visit, data_uri, list_in, object_in, plain, told_options
from dmask.report.words import Words

HERE = Path(__file__).parent
GLANCE = (  # what a reader looks for first
    ("lids.mrd1_mm", "primary"), ("lids.fissure_mm", "primary"), ("lids.ptosis_grade", "primary"),
    ("lids.retraction_grade", "primary"), ("lids.levator_excursion_mm", ""),
    ("lids.lagophthalmos_mm", "gentle_closure"), ("lids.lagophthalmos_mm", "forced_closure"),
    ("lids.lagophthalmos_mm", "closure"),  # without a track, or where nobody closed the eyes
    ("blinks.rate_per_min", ""), ("blinks.complete_share", ""),
    ("alignment.deviation_horizontal_deg", "primary"), ("alignment.deviation_vertical_deg", "primary"),
    ("cover.kind_class", ""), ("cover.deviation_horizontal_deg", "alternate_cover"),
    ("nystagmus.present_class", "horizontal"), ("nystagmus.present_class", "vertical"),
)  # fmt: skip
RESTED_ON = ("profile", "coarse_time", "hfov_deg", "hvid_mm", "age_years", "fixating", "lamp", "weights")
SCRIPT_WORDS = ("play", "pause", "time", "frame")


def page(visits: Sequence[Visit], language: str = "en", beside: Path | None = None) -> str:
    """The whole page. `beside` is the folder that it will lie in: a mask there may be played from it."""
    say = Words(language)
    plots = [plots_of(visit) if visit.time_s.size > 1 else [] for visit in visits]
    shades = [shades_of(visit) for visit in visits]
    title = say("title") if len(visits) == 1 else say("title.compare")
    if len(visits) == 1:
        content = list(one_visit(visits[0], plots[0], shades[0], say, beside))
    else:
        content = list(two_visits(visits, plots, shades, say, beside))
    style = uplot("uPlot.min.css") + (HERE / "page.css").read_text(encoding="utf-8")
    script = uplot("uPlot.iife.min.js") + "\n" + (HERE / "page.js").read_text(encoding="utf-8")
    data = {
        "language": language,
        "words": {name: say(name) for name in SCRIPT_WORDS}
        | {"dark": say("theme.dark"), "light": say("theme.light")},
        "visits": [
            packed_plots(visit, drawn) | {"shades": packed_shades(shown)} if drawn else {}
            for visit, drawn, shown in zip(visits, plots, shades, strict=True)
        ],
    }
    body = joined(
        element("a", say("skip"), href="#findings", class_="skip"),
        element("div", heading(title, visits, say), element("main", *content), class_="page"),
    )
    template = Template((HERE / "page.html").read_text(encoding="utf-8"))
    return template.substitute(
        language=language,
        policy=policy(style, script),
        title=escaped(title),
        style=style,
        body=body,
        data=in_script(data),
        script=script,
    )


def policy(style: str, script: str) -> str:
    """Nothing is loaded but the mask beside the page; no script or style counts that is not ours."""

    def digest(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    return (
        f"default-src 'none'; script-src {digest(script)}; style-src {digest(style)}; img-src data: 'self'; "
        "media-src blob: 'self'; base-uri 'none'; form-action 'none'"
    )


def in_script(data: object) -> str:
    """JSON that no text within can end a script element by."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def packed_shades(shades: Sequence[Shade]) -> list[list[Any]]:
    return [
        [one.kind, one.eye if one.eye in EYES else BOTH, round(one.start_s, 3), round(one.end_s, 3)]
        for one in shades
    ]


def heading(title: str, visits: Sequence[Visit], say: Words) -> Markup:
    lines = [element("h1", title), element("p", say("notice"), class_="notice")]
    if len(visits) == 1:
        lines.append(facts(visits[0], say))
    button = element("button", say("theme.dark"), type="button", id="theme", class_="no-print")
    return element("header", element("div", *lines), button)


def facts(visit: Visit, say: Words) -> Markup:
    told = []
    count = visit.time_s.size
    if count > 1:
        told.append(say("facts.duration", seconds=number(visit.duration_s, 1, say)))
    told.append(say("facts.frames", frames=count))
    if count > 1:
        rate_fps = float(1 / np.median(np.diff(visit.time_s)))
        whole = abs(rate_fps - round(rate_fps)) < 0.05
        told.append(say("facts.rate", rate=number(rate_fps, 0 if whole else 1, say)))
    seen = {eye: with_unit(number(100 * visit.valid_share(eye), 0, say), "%", say) for eye in EYES}
    told.append(say("facts.seen", **seen))
    if profile := told_options(visit.run).get("profile"):
        told.append(say("facts.profile", profile=profile))
    return element("ul", *(element("li", one) for one in told), class_="facts")


def one_visit(
    visit: Visit, plots: list[Plot], shades: list[Shade], say: Words, beside: Path | None
) -> Iterator[Markup]:
    yield flags(visit, say)
    yield element("h2", say("section.glance"), id="findings")
    yield glance(visit, say)
    yield element("h2", say("section.recording"))
    yield recording(0, visit, plots, shades, say, beside)
    yield from charts(visit, say, "h2")
    yield element("h2", say("section.findings"))
    yield findings(visit, say)
    yield element("h2", say("section.missing"))
    yield missing(visit, say)
    if told := statements(visit, say):
        yield element("h2", say("section.statements"))
        yield told
    yield details(visit, say)


def two_visits(
    visits: Sequence[Visit],
    plots: list[list[Plot]],
    shades: list[list[Shade]],
    say: Words,
    beside: Path | None,
) -> Iterator[Markup]:
    visits = [visit._replace(letter=letter) for visit, letter in zip(visits, "AB", strict=True)]
    found = pairs(visits[0], visits[1])
    if names := unlike(visits[0], visits[1]):
        sentence = say("options.unlike.sentence", names=", ".join(names))
        yield element("ul", element("li", element("b", say("options.unlike")), sentence), class_="flags")
    yield element("h2", say("section.glance"), id="findings")
    yield glance_of_two(found, visits, say)
    yield element("h2", say("section.changes"))
    yield changed(found, visits, say)
    for place, visit in enumerate(visits):
        heading = element("h2", say("visit", letter=visit.letter))
        yield element(
            "section",
            heading,
            facts(visit, say),
            flags(visit, say),
            recording(place, visit, plots[place], shades[place], say, beside),
            *charts(visit, say, "h3"),
            element("h3", say("section.missing")),
            missing(visit, say),
            details(visit, say),
            class_="visit",
            aria_label=say("visit", letter=visit.letter),
        )
    if told := statements(visits[1], say):
        yield element("h2", say("section.statements"))
        yield told


def unlike(before: Visit, after: Visit) -> list[str]:
    """Names of what measures rest on and the visits differ in."""
    options = [told_options(visit.run) for visit in (before, after)]
    held = [{name: one.get(name) for name in RESTED_ON} | visit.settings
            for one, visit in zip(options, (before, after), strict=True)]  # fmt: skip
    return [name for name in dict.fromkeys((*held[0], *held[1])) if held[0].get(name) != held[1].get(name)]


def charts(visit: Visit, say: Words, level: str) -> Iterator[Markup]:
    if visit.time_s.size < 2:
        return
    yield element(level, say("section.directions"))
    yield nine_gaze(visit, say)
    if (drawn := nystagmus(visit, say, "h3" if level == "h2" else "h4")) is not None:
        yield element(level, say("section.nystagmus"))
        yield drawn
    yield element(level, say("section.blinks"))
    yield raster(visit, say)


def flags(visit: Visit, say: Words) -> Markup:
    told = [one for one in list_in(visit.summary, "flags") if isinstance(one, dict)]
    items = []
    for one in told:
        name = say.or_plain("flag", str(one.get("flag", "")))
        items.append(element("li", element("b", name), said(str(one.get("sentence", "")), say)))
    if not items:
        return joined()
    return joined(
        element("h2", say("section.flags"), class_="hidden"), element("ul", *items, class_="flags"),
    )  # fmt: skip


def said(english: str, say: Words, name: str = "span") -> Markup:
    """What a measure or a summary says; a voice that reads it out has to know its language."""
    sentence = say.sentence(english)
    return element(name, sentence.text, lang=None if sentence.language == say.language else sentence.language)


def cell(record: Record | None, say: Words) -> Child:
    """Value, interval and number of what it is of; or why it is not measured."""
    if record is None:
        return element("span", say("not_in_visit"), class_="absent")
    if record.value is None:
        if not record.reason:
            return element("span", say("not_measured"), class_="absent")
        before, _, after = say("not_measured.why").partition("{reason}")
        return element("span", before, said(record.reason, say), after, class_="absent")
    interval = interval_of(record, say)
    return joined(
        element("span", value_of(record, say), class_="value"),
        " " if interval else None,
        element("span", interval, class_="interval") if interval else None,
        " " if record.n is not None else None,
        element("span", say("n.short", n=record.n), class_="n") if record.n is not None else None,
    )


def measure_name(record: Record, visit: Visit, say: Words) -> Markup:
    told = visit.definitions.get(record.measure, {})
    condition = say.or_plain("condition", record.condition) if record.condition else ""
    return joined(
        say.measure(record.measure, str(told.get("what", ""))),
        element("span", f" · {condition}", class_="condition") if condition else None,
        element("span", say("not_validated"), class_="tag") if told.get("validated") is False else None,
    )


def rows_of(visit: Visit, wanted: Sequence[tuple[str, str]], say: Words) -> list[Row]:
    """A row a measure and condition, a column an eye; what is of both eyes has a row across both columns."""
    rows: list[Row] = []
    for measure, condition in wanted:
        od, os, both = (visit.record(measure, eye, condition) for eye in (*EYES, BOTH))
        if od and os and od.value is None and os.value is None and od.reason == os.reason:
            rows.append([measure_name(od, visit, say), Wide(cell(od, say))])
        elif first := od or os:
            rows.append([measure_name(first, visit, say), cell(od, say), cell(os, say)])
        if both:
            rows.append([named(both, visit, say), Wide(cell(both, say))])
    return rows


def columns(say: Words) -> list[Child]:
    return [say("column.measure"), *(say(f"eye.long.{eye}") for eye in EYES)]


def glance(visit: Visit, say: Words) -> Markup:
    rows = rows_of(visit, GLANCE, say)
    if not rows:
        return element("p", say("nothing_found"), class_="quiet")
    return joined(
        element("div", table(columns(say), rows, say("section.glance")), class_="glance"),
        element("p", say("cell.note"), class_="quiet"),
    )


def findings(visit: Visit, say: Words) -> Markup:
    found = [one for one in visit.records if one.value is not None]
    if not found:
        return element("p", say("nothing_found"), class_="quiet")
    parts = []
    for group, records in groupby(found, key=lambda one: one.measure.partition(".")[0]):
        name = say.or_plain("group", group)
        wanted = list(dict.fromkeys((one.measure, one.condition) for one in records))
        parts.append(element("h3", name))
        parts.append(
            element("div", table(columns(say), rows_of(visit, wanted, say), name), class_="findings")
        )
    return joined(*parts)


def missing(visit: Visit, say: Words) -> Markup:
    """Measures that lack for one reason share a row."""
    absent = [one for one in visit.records if one.value is None]
    if not absent:
        return element("p", say("nothing_missing"), class_="quiet")
    eyes: dict[tuple[str, str, str], list[Record]] = {}
    for one in absent:
        eyes.setdefault((one.measure, one.condition, one.reason), []).append(one)
    shared: dict[tuple[str, tuple[str, ...]], list[Record]] = {}
    for (_, _, reason), records in eyes.items():
        shared.setdefault((reason, tuple(one.eye for one in records)), []).append(records[0])
    rows: list[Row] = []
    for (reason, named), records in shared.items():
        names = joined(*(element("div", measure_name(one, visit, say)) for one in records))
        rows.append([names, ", ".join(say.or_plain("eye", eye) for eye in named), said(reason, say)])
    header: list[Child] = [say("column.measure"), say("column.eye"), say("column.reason")]
    return table(header, rows, of_visit(visit, say("section.missing"), say), "missing")


def glance_of_two(found: Sequence[Pair], visits: Sequence[Visit], say: Words) -> Markup:
    """What a reader looks for first, of the eyes that either visit has a number or a word of."""
    wanted = [
        pair
        for glanced in GLANCE
        for pair in found
        if (one := either(pair)) and (one.measure, one.condition) == glanced
        and any(record and record.value is not None for record in pair)
    ]  # fmt: skip
    if not wanted:
        return element("p", say("nothing_found"), class_="quiet")
    return joined(
        element("p", say("visit.which"), " ", say("cell.note"), " ", say("changes.note"), class_="quiet"),
        element("div", compared(wanted, visits, say, say("section.glance")), class_="glance changes"),
    )


def changed(found: Sequence[Pair], visits: Sequence[Visit], say: Words) -> Markup:
    both = [pair for pair in found if change_of(pair)]
    parts: list[Child] = []
    if not both:
        parts.append(element("p", say("all_equal"), class_="quiet"))
    for group, members in groupby(both, key=lambda pair: either(pair).measure.partition(".")[0]):
        name = say.or_plain("group", group)
        drawn = compared(list(members), visits, say, name)
        parts += [element("h3", name), element("div", drawn, class_="changes")]
    half = [
        pair for pair in found if not change_of(pair) and any(one and one.value is not None for one in pair)
    ]
    if half:
        caption = say("section.lasting")
        drawn = compared(half, visits, say, caption, changing=False)
        parts += [element("h3", caption), element("div", drawn, class_="changes")]
    return joined(*parts)


def either(pair: Pair) -> Record:
    one = pair[0] or pair[1]
    assert one is not None
    return one


def compared(
    found: Sequence[Pair], visits: Sequence[Visit], say: Words, caption: str, changing: bool = True
) -> Markup:
    """A row a measure, condition and eye, a column a visit, and what changed."""
    rows: list[Row] = []
    for pair in found:
        row: Row = [
            named(either(pair), visits[0 if pair[0] else 1], say), *(cell(one, say) for one in pair)
        ]  # fmt: skip
        if changing:
            change = change_of(pair)
            row.append(change_cell(change, say) if change else "–")
        rows.append(row)
    header: list[Child] = [say("column.measure"), *(visit.letter for visit in visits)]
    return table([*header, say("column.change")] if changing else header, rows, caption)


def named(record: Record, visit: Visit, say: Words) -> Markup:
    eye = element("span", f" · {say.or_plain('eye', record.eye)}", class_="condition")
    return joined(measure_name(record, visit, say), eye)


def change_cell(change: Change, say: Words) -> Markup:
    style = "clear" if change.clear else "unclear"
    if change.value is None:
        words = (say.value(str(one.value)) for one in (change.before, change.after))
        text = "=" if change.before.value == change.after.value else " → ".join(words)
        return element("div", element("span", text, class_="value"), class_=style)
    unit, times, decimals = as_shown(change.before)
    unit = "points" if unit == "%" else unit
    shown = with_unit(number(change.value * times, decimals, say, signed=True), unit, say)
    interval = None
    if change.low is not None and change.high is not None:
        low, high = (number(end * times, decimals, say, signed=True) for end in (change.low, change.high))
        interval = element(
            "div", element("span", say("interval.short", low=low, high=high), class_="interval")
        )
    return element("div", element("span", shown, class_="value"), interval, class_=style)


def recording(
    place: int, visit: Visit, plots: list[Plot], shades: list[Shade], say: Words, beside: Path | None
) -> Markup:
    if not plots:
        return element("div", mask_block(place, visit, say, beside, False), class_="recording")
    left = left_of(((one.low, one.high, one.unit) for one in plots), say, STILL_TICK)
    drawn = [plot_block(number_, one, visit, shades, say, left) for number_, one in enumerate(plots)]
    bucket = decimated(visit.time_s, []).frames
    kinds = [kind for kind in ("blink", "closure", "cover") if any(one.kind == kind for one in shades)]
    key: list[Child] = [say("shading"), " "] if kinds else []
    for kind in kinds:
        key += [element("span", "", class_=f"key {kind}"), say(f"shade.{kind}"), " "]
    if kinds:
        key.append(f"({say('shade.halves')})")
    right = element(
        "div",
        *drawn,
        element("p", *key, class_="legend") if key else None,
        element("p", say("decimated", frames=bucket), class_="quiet") if bucket > 1 else None,
        element("p", say("keys"), class_="quiet no-print"),
        element("noscript", element("p", say("no_script"), class_="quiet")),
        as_table(visit, plots, say),
    )
    return element(
        "div", mask_block(place, visit, say, beside, True), right, class_="recording", id=f"recording-{place}"
    )


def mask_block(place: int, visit: Visit, say: Words, beside: Path | None, plays: bool) -> Markup:
    parts: list[Child] = []
    mask, still = visit.mask, None
    if mask is not None and mask.still_jpeg:
        still = data_uri("image/jpeg", mask.still_jpeg)
    if mask is None:
        parts.append(element("p", say("mask.absent"), class_="quiet"))
    elif mask.is_picture or not (mask.inline or lies_in(mask, beside)):
        if still:
            parts.append(element("img", src=still, alt=say("mask.still")))
        if not mask.is_picture:
            parts.append(element("p", say("mask.large"), class_="quiet"))
    else:
        held = f"mask-{place}"
        parts.append(
            element(
                "video", src=None if mask.inline else "mask.mp4", data_mask=held if mask.inline else None,
                poster=still, playsinline=True, muted=True, preload="auto", aria_label=say("mask.video"),
                tabindex=-1,
            )
        )  # fmt: skip
        if still:
            parts.append(element("img", src=still, alt=say("mask.still"), class_="print-only"))
        parts.append(element("p", say("mask.lost"), class_="quiet mask-lost", role="alert", hidden=True))
        if mask.inline:
            data = base64.b64encode(mask.path.read_bytes()).decode("ascii")
            parts.append(element("script", Markup(data), type="text/plain", id=held))
    if mask is not None:
        parts.append(element("p", say("mask.grey"), class_="quiet"))
    if plays:
        parts += controls(visit, say)
    return element("div", *parts, class_="mask")


def lies_in(mask: Mask, beside: Path | None) -> bool:
    return beside is not None and mask.path.resolve().parent == beside.resolve()


def controls(visit: Visit, say: Words) -> list[Child]:
    speeds = [
        element("option", f"{number(speed, 2 if speed < 0.5 else 1 if speed < 1 else 0, say)}×", value=speed,
                selected=speed == 1)
        for speed in (0.1, 0.25, 0.5, 1)
    ]  # fmt: skip
    end_s = round(visit.duration_s, 4)
    return [
        element(
            "input",
            type="range",
            min=0,
            max=end_s,
            step="any",
            value=0,
            aria_label=of_visit(visit, say("position"), say),
        ),
        element("div", "", class_="clock"),
        element(
            "div",
            element("button", say("play"), type="button", data_do="play"),
            element("button", "◀", type="button", data_do="back", aria_label=say("back"), title=say("back")),
            element(
                "button", "▶", type="button", data_do="forth", aria_label=say("forth"), title=say("forth")
            ),
            element("label", say("speed"), element("select", *speeds)),
            element(
                "button", "+", type="button", data_do="in", aria_label=say("zoom.in"), title=say("zoom.in")
            ),
            element(
                "button", "−", type="button", data_do="out", aria_label=say("zoom.out"), title=say("zoom.out")
            ),
            element("button", say("zoom.all"), type="button", data_do="all"),
            class_="controls",
            role="group",
            aria_label=of_visit(visit, say("controls"), say),
        ),
    ]


def plot_block(place: int, plot: Plot, visit: Visit, shades: list[Shade], say: Words, left: float) -> Markup:
    label, unit = plot_label(plot, visit, say), say(f"unit.{plot.unit}")
    readings = [
        element("span", element("span", "", class_=f"key {one.style}"), say(one.name), " ",
                element("span", "", class_="at"))
        for one in plot.series
    ]  # fmt: skip
    head = element(
        "div",
        element("span", say(f"plot.{plot.name}"), f" ({unit})" if unit else None,
                element("span", say(f"toward.{plot.toward}"), class_="toward"),
                class_="name"),
        element("span", *readings, class_="readings"),
        class_="plot-head",
    )  # fmt: skip
    canvas = element("div", "", class_="canvas", data_plot=place, role="img", aria_label=label)
    still = still_plot(plot, visit.time_s, shades, say, label, left)
    return element("div", head, canvas, still, class_="plot")


def plot_label(plot: Plot, visit: Visit, say: Words) -> str:
    told = []
    for one in plot.series:
        known = one.values[np.isfinite(one.values)]
        if not known.size:
            told.append(say("plot.empty", series=say(one.name)))
            continue
        ends = {"low": known.min(), "high": known.max(), "median": np.median(known)}
        decimals = 2 if plot.unit == "1" else 1
        shown = {name: number(float(value), decimals, say) for name, value in ends.items()}
        told.append(say("plot.series", series=say(one.name), **shown))
    return say(
        "plot.label", plot=say(f"plot.{plot.name}"), unit=say(f"unit.{plot.unit}") or "–",
        seconds=number(visit.duration_s, 1, say), series="; ".join(told),
    )  # fmt: skip


def as_table(visit: Visit, plots: list[Plot], say: Words) -> Markup:
    """What stands for the plots where they cannot be seen."""
    header: list[Child] = [say("column.time")]
    for plot in plots:
        for one in plot.series:
            unit = say(f"unit.{plot.unit}")
            header.append(f"{say(f'plot.{plot.name}')}, {say(one.name)}{f', {unit}' if unit else ''}")
    rows: list[Row] = []
    for start_s, end_s, part in parts_of(visit.time_s):
        row: Row = [f"{number(start_s, 1, say)}–{with_unit(number(end_s, 1, say), 's', say)}"]
        for plot in plots:
            for one in plot.series:
                known = one.values[part]
                known = known[np.isfinite(known)]
                decimals = 2 if plot.unit == "1" else 1
                row.append(number(float(np.median(known)), decimals, say) if known.size else "–")
        rows.append(row)
    whole = table(header, rows, of_visit(visit, say("as_table"), say), "wide")
    note = element("p", say("as_table.note"), class_="quiet")
    return element("details", element("summary", say("as_table")), note, whole, class_="no-print")


def statements(visit: Visit, say: Words) -> Markup | None:
    told = [str(one) for one in list_in(visit.summary, "statements")]
    if not told:
        return None
    return element("ul", *(said(one, say, "li") for one in told), class_="statements")


def details(visit: Visit, say: Words) -> Markup:
    parts: list[Child] = [element("summary", say("section.details"))]
    versions: dict[str, object] = {say("details.page_by"): environment.versions()["dmask"]}
    if measured_by := object_in(visit.recording, "versions").get("measured_by"):
        versions[say("details.measured_by")] = measured_by
    versions |= object_in(visit.run, "versions")
    sums = object_in(visit.run, "models_sha256") or object_in(visit.recording, "models_sha256")
    name, value = say("column.name"), say("column.value")
    for heading, second, held in (
        ("details.settings", value, visit.settings),
        ("details.options", value, told_options(visit.run)),
        ("details.versions", value, versions),
        ("details.models", say("column.sha256"), sums),
    ):
        if held:
            parts += [
                element("h3", say(heading)),
                name_table(of_visit(visit, say(heading), say), name, second, held),
            ]
    if visit.definitions:
        rows: list[Row] = [
            [say.measure(key), str(one.get("what", "")), str(one.get("source", ""))]
            for key, one in visit.definitions.items()
        ]
        header: list[Child] = [say("column.measure"), say("column.definition"), say("column.source")]
        parts += [
            element("h3", say("details.definitions"), class_="no-print"),
            element(
                "div",
                table(header, rows, of_visit(visit, say("details.definitions"), say)),
                lang="en",
                class_="no-print",
            ),
        ]
    return element("details", *parts)


def name_table(caption: str, name: str, value: str, held: Mapping[str, object]) -> Markup:
    rows: list[Row] = [[element("code", key), element("code", plain(one))] for key, one in held.items()]
    return table([name, value], rows, caption)
