#!/usr/bin/env python3
"""Writes the manual pages of a program, one for each command, from the help that the program prints as JSON.

    make-man.py PROGRAM FOLDER

The date of the pages is SOURCE_DATE_EPOCH, by default that of the newest commit. `man mortise-key-create` reads an installed page.
"""

import json
import os
import re
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

# The version of the JSON that --experimental-dump-help prints.
SERIALIZATION = 0

HEADING = re.compile(r"([A-Z][A-Z ]+):\s+(.*)", re.DOTALL)


def output(*words):
    """Returns what a command prints."""
    return subprocess.run(words, capture_output=True, text=True, check=True, cwd=Path(__file__).parent).stdout


def escaped(text):
    """Returns text that roff prints as it is."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    # A period or an apostrophe at the start of a line begins a request.
    return re.sub(r"^\.", "\\&.", text, flags=re.MULTILINE)


def quoted(text):
    """Returns an argument of a request."""
    return '"' + escaped(text).replace('"', "\\(dq") + '"'


def shown(argument, name):
    """Returns the name of an option with the name of its value, in bold and in italics."""
    dashes = "-" if name["kind"] in ("short", "longWithSingleDash") else "--"
    text = f"\\fB{escaped(dashes + name['name'])}\\fR"
    return text if argument["kind"] == "flag" else f"{text} {value(argument)}"


def value(argument):
    """Returns the name of a value."""
    return f"\\fI{escaped(argument['valueName'])}\\fR"


def tag(argument):
    """Returns the line that introduces an argument."""
    if argument["kind"] == "positional":
        return value(argument)
    return ", ".join(shown(argument, name) for name in argument["names"])


def explanation(argument):
    """Returns what an argument does, with its default."""
    text = argument.get("abstract", "")
    default = argument.get("defaultValue")
    if default and "(default" not in text:
        text += f" (default: {default})"
    return text


def paragraphs(text):
    """Returns the lines of a text whose paragraphs can begin with a heading, and whose examples are indented."""
    lines = []
    for paragraph in filter(None, text.split("\n\n")):
        heading = HEADING.fullmatch(paragraph)
        if heading:
            lines.append(f".SH {quoted(heading[1])}")
            paragraph = paragraph[len(heading[1]) + 1 :].lstrip(" ").removeprefix("\n")
        elif lines:
            lines.append(".PP")
        if paragraph.startswith("  "):
            lines += [".nf", escaped(re.sub(r"^  ", "", paragraph, flags=re.MULTILINE)), ".fi"]
        else:
            lines.append(escaped(paragraph))
    return lines


def page(command, path, version, day):
    """Returns the manual page of a command."""
    name = "-".join(path)
    arguments = [item for item in command.get("arguments", []) if item["shouldDisplay"]]
    subcommands = visible(command)
    synopsis = [f"\\fB{escaped(' '.join(path))}\\fR"]
    if any(item["kind"] != "positional" for item in arguments):
        synopsis.append("[\\fIoptions\\fR]")
    for item in arguments:
        if item["kind"] == "positional":
            text = value(item) + (" ..." if item["isRepeating"] else "")
            synopsis.append(f"[{text}]" if item["isOptional"] else text)
    if subcommands:
        synopsis.append("\\fIcommand\\fR ...")
    lines = [
        f".TH {quoted(name.upper())} 1 {day} {quoted('Mortise ' + version)} {quoted('Mortise Manual')}",
        ".SH NAME",
        f"{escaped(name)} \\- {escaped(command['abstract'].rstrip('.'))}",
        ".SH SYNOPSIS",
        " ".join(synopsis),
    ]
    discussion = paragraphs(command.get("discussion", ""))
    if discussion and not discussion[0].startswith(".SH"):
        lines.append(".SH DESCRIPTION")
    lines += discussion
    section = None
    for item in arguments:
        title = item.get("sectionTitle") or ("Arguments" if item["kind"] == "positional" else "Options")
        if title != section:
            section = title
            lines.append(f".SH {quoted(title.upper())}")
        lines += [".TP", tag(item), escaped(explanation(item))]
    if subcommands:
        lines.append(".SH COMMANDS")
        for item in subcommands:
            lines += [".TP", f"\\fB{escaped(item['commandName'])}\\fR", escaped(item["abstract"])]
    related = [path + [item["commandName"]] for item in subcommands]
    if len(path) > 1:
        related.insert(0, path[:-1])
    references = [f"\\fB{escaped('-'.join(item))}\\fR(1)" for item in related]
    if references:
        lines += [".SH SEE ALSO", ",\n".join(references)]
    return "\n".join(lines) + "\n"


def visible(command):
    """Returns the subcommands that have a page."""
    return [item for item in command.get("subcommands", []) if item["shouldDisplay"] and item["commandName"] != "help"]


def pages(command, path):
    """Returns all commands with their paths."""
    yield command, path
    for item in visible(command):
        yield from pages(item, path + [item["commandName"]])


def main(program, folder):
    """Writes all pages."""
    program, folder = Path(program).resolve(), Path(folder)
    tree = json.loads(output(program, "--experimental-dump-help"))
    if tree["serializationVersion"] != SERIALIZATION:
        sys.exit(f"make-man.py: the help of {program} has the version {tree['serializationVersion']}, not {SERIALIZATION}")
    version = output(program, "--version").strip()
    epoch = os.environ.get("SOURCE_DATE_EPOCH") or output("git", "log", "-1", "--format=%ct")
    day = datetime.fromtimestamp(int(epoch), timezone.utc).date().isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.1"):
        old.unlink()
    for command, path in pages(tree["command"], ["mortise"]):
        (folder / f"{'-'.join(path)}.1").write_text(page(command, path, version, day), encoding="utf-8")
    print(f"The manual pages are in {folder}. To read one: man -l {folder}/mortise.1")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
