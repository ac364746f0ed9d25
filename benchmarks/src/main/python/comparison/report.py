"""What comes out: tables, a CSV file with every measurement, a summary for the charts, and all of it as JSON."""

import csv
import json

from . import figures
from .servers import base_of
from .workloads import DIFFERENCE, IDLE, RATIO

CHART_COLUMNS = ("workload", "title", "figure", "better", "server", "median", "low", "high")


def table(rows):
    """Returns a Markdown table, aligned; the first row is its head."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]

    def line(row):
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        return "| " + " | ".join(cells) + " |"

    rule = "|" + "|".join(["-" * (widths[0] + 2)] + ["-" * (width + 1) + ":" for width in widths[1:]]) + "|"
    return "\n".join([line(rows[0]), rule, *map(line, rows[1:])])


def column_spread(measurements, server, servers, column):
    base = base_of(server, servers)
    if column.kind == RATIO:
        return figures.spread(figures.ratios(measurements, server, base, column.figure))
    if column.kind == DIFFERENCE:
        return figures.spread(figures.differences(measurements, server, base, column.figure))
    return figures.spread(figures.values(measurements, server, column.figure))


def _cell(column, spread):
    if spread is None:
        return "-"
    text = column.form.format(spread.median)
    if column.with_range and spread.low != spread.high:
        text += f" ({column.form.format(spread.low)} to {column.form.format(spread.high)})"
    return text


def bases(servers):
    """Returns what these are compared with, for the head of a column."""
    names = list(dict.fromkeys(base_of(server, servers) for server in servers))
    if len(names) > 1 and all(name.startswith("netty-tls") for name in names):
        return "netty, same engine"
    return " / ".join(names)


def workload_table(workload, measurements, servers):
    present = {key for measurement in measurements for key in measurement}
    columns = [column for column in workload.columns if column.figure in present]
    base = bases(servers)
    rows = [["server", *(column.title.format(base=base) for column in columns)]]
    for server in servers:
        cells = [_cell(column, column_spread(measurements, server, servers, column)) for column in columns]
        if any(cell != "-" for cell in cells):
            rows.append([server, *cells])
    return table(rows)


def write_csv(path, rows):
    names = list(dict.fromkeys(key for row in rows for key in row))
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def chart_rows(workload, measurements, servers):
    """Returns what the charts show, one row for each server."""
    base = bases(servers)
    rows = []
    for server in servers:
        spread = column_spread(measurements, server, servers, workload.chart)
        if spread is not None:
            rows.append(
                {
                    "workload": workload.name,
                    "title": workload.title.format(base=base),
                    "figure": workload.chart.title.format(base=base),
                    "better": "more" if workload.more_is_better else "less",
                    "server": server,
                    "median": spread.median,
                    "low": spread.low,
                    "high": spread.high,
                }
            )
    return rows


def overview(rows, servers):
    """Returns a table of the chart rows: a line for each server, a column for each workload."""
    names = list(dict.fromkeys(row["workload"] for row in rows))
    medians = {(row["server"], row["workload"]): row["median"] for row in rows}

    def cell(server, workload):
        median = medians.get((server, workload))
        if median is None:
            return "-"
        return f"{median:,.0f}" if workload == IDLE.name else f"{median:.2f}"

    lines = [[server, *(cell(server, name) for name in names)] for server in servers]
    return table([["server", *names], *lines])


def write_chart_rows(path, described, about, rows):
    """Writes what Charts.java draws: what the measurements were taken on, a head, and the rows, separated by tabs."""
    with open(path, "w") as file:
        file.write(described + "\n")
        file.write("\t".join((*CHART_COLUMNS, "about")) + "\n")
        for row in rows:
            cells = (*(row[name] for name in CHART_COLUMNS), about.get(row["server"], ""))
            file.write("\t".join(str(cell).replace("\t", " ") for cell in cells) + "\n")


def write_json(path, results):
    with open(path, "w") as file:
        json.dump(results, file, indent=1)
        file.write("\n")
