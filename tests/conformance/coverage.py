#!/usr/bin/python3
"""Prints which conformance cases are tested, and where: the table in docs/conformance.md.

A test covers a case by carrying its id. Cases that no test carries are listed with the reason in
open.tsv, or as "not yet".
"""

import csv
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
TESTS = HERE.parent
ID = re.compile(r"\b([A-Z])[-_](\d\d)\b")


def ids_in(*folders):
    found = set()
    for folder in folders:
        for path in sorted((TESTS / folder).rglob("*")):
            if path.suffix in (".cc", ".py", ".mjs"):
                found |= {"-".join(m) for m in ID.findall(path.read_text())}
    return found


def rows(name):
    with open(HERE / name, newline="") as file:
        return list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def main():
    unit, lab = ids_in("unit"), ids_in("e2e", "lab", "browser")
    reasons = {row[0]: row[1] for row in rows("open.tsv")}
    print(
        "# Conformance\n\nThe cases of `tests/conformance/cases.tsv` and the tests that carry their ids: `unit` on"
        " recorded\nfacts, `lab` end to end with real servers. Written by `script/docs`; do not edit.\n"
    )
    print("| case | what is set up | tested |\n|---|---|---|")
    counts = {"tested": 0, "open": 0}
    for case, setup, *_ in rows("cases.tsv")[1:]:
        where = [name for name, ids in (("unit", unit), ("lab", lab)) if case in ids]
        counts["tested" if where else "open"] += 1
        told = ", ".join(where) or reasons.get(case, "not yet")
        print(f"| {case} | {setup.replace('|', '/')} | {told} |")
    print(f"\n{counts['tested']} tested, {counts['open']} open.")


if __name__ == "__main__":
    main()
