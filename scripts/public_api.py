#!/usr/bin/env python3
"""Prints the public declarations of the symbol graphs in a folder, one on each line, sorted.

A line has the enclosing type, a colon and the declaration. The line of a type ends with the protocols that it conforms to. The
requirements of a protocol are marked, because a new one breaks the types that conform to it.
"""
import glob
import json
import re
import sys

# Every type conforms to these unless its declaration says otherwise.
IMPLICIT = {"Copyable", "Escapable", "SendableMetatype", "BitwiseCopyable"}
TYPES = {"swift.struct", "swift.enum", "swift.class", "swift.actor", "swift.extension"}


def lines(folder: str) -> list[str]:
    symbols, relationships = [], []
    for path in sorted(glob.glob(f"{folder}/*.symbols.json")):
        with open(path, encoding="utf-8") as file:
            graph = json.load(file)
        symbols += graph["symbols"]
        relationships += graph["relationships"]

    names = {symbol["identifier"]["precise"]: ".".join(symbol["pathComponents"]) for symbol in symbols}
    protocols: dict[str, set[str]] = {}
    requirements = set()
    for relationship in relationships:
        source, target = relationship["source"], relationship["target"]
        if relationship["kind"] == "requirementOf":
            requirements.add(source)
        elif relationship["kind"] == "conformsTo":
            name = names.get(target) or relationship.get("targetFallback", "").partition(".")[2]
            if name and name not in IMPLICIT:
                protocols.setdefault(source, set()).add(name)

    found = set()
    for symbol in symbols:
        kind, identifier, path = symbol["kind"]["identifier"], symbol["identifier"]["precise"], symbol["pathComponents"]
        fragments = symbol.get("declarationFragments", [])
        line = re.sub(r"\s+", " ", "".join(fragment["spelling"] for fragment in fragments))
        if identifier in requirements:
            line = f"requirement {line}"
        if kind in TYPES and identifier in protocols:
            line += ": " + ", ".join(sorted(protocols[identifier]))
        if kind != "swift.extension" and len(path) > 1:
            line = ".".join(path[:-1]) + ": " + line
        found.add((tuple(path), line))
    return [line for _, line in sorted(found)]


if __name__ == "__main__":
    print("\n".join(lines(sys.argv[1])))
