#!/usr/bin/env python3
"""Describes the packages that are linked into Mortise.

    sbom.py sbom VERSION      prints a CycloneDX 1.6 document of the Swift packages
    sbom.py licenses VERSION  prints the licenses and notices of the packages

Both read Package.resolved and .build/checkouts of the current folder. SOURCE_DATE_EPOCH is the time in the document.
"""

import json
import os
import re
import subprocess
import sys
import uuid
from datetime import datetime, timezone
from pathlib import Path

CHECKOUTS = Path(".build/checkouts")

# The first line that fits names the license. The order matters: texts of one license can quote another.
LICENSES = (
    (r"Runtime Library Exception to the Apache 2\.0 License", "Apache-2.0 WITH Swift-exception"),
    (r"Apache License\s+Version 2\.0", "Apache-2.0"),
    (r"MIT License|Permission is hereby granted, free of charge", "MIT"),
    (r"Redistribution and use in source and binary forms", "BSD-3-Clause"),
)


def packages():
    """Returns the pinned packages, by their name."""
    pins = json.loads(Path("Package.resolved").read_text())["pins"]
    return sorted(pins, key=lambda pin: pin["identity"])


def folder(pin):
    """Returns the checkout of a package, whose name has the spelling of its URL."""
    name = pin["location"].rstrip("/").removesuffix(".git").split("/")[-1]
    return CHECKOUTS / name


def texts(path, pattern):
    """Returns the files of a folder whose name fits, in a fixed order."""
    return sorted(file for file in path.iterdir() if file.is_file() and re.match(pattern, file.name, re.IGNORECASE))


def license_of(pin):
    """Returns the SPDX expression of a package's license."""
    files = texts(folder(pin), r"LICEN[SC]E")
    if not files:
        sys.exit(f"{folder(pin)} has no license")
    text = files[0].read_text()
    for expression, name in LICENSES:
        if re.search(expression, text):
            return name
    sys.exit(f"{files[0]} is a license that scripts/sbom.py does not know; add it to LICENSES")


def component(pin):
    """Describes one package."""
    location = pin["location"].removesuffix(".git")
    path = location.removeprefix("https://")
    version = pin["state"].get("version") or pin["state"]["revision"]
    license_id = license_of(pin)
    choice = {"expression": license_id} if " " in license_id else {"license": {"id": license_id}}
    purl = f"pkg:swift/{path}@{version}"
    return {
        "type": "library",
        "bom-ref": purl,
        "group": "/".join(path.split("/")[:-1]),
        "name": path.split("/")[-1],
        "version": version,
        "licenses": [choice],
        "purl": purl,
        "externalReferences": [
            {"type": "vcs", "url": f"{location}.git", "comment": f"revision {pin['state']['revision']}"}
        ],
    }


def swift():
    """Describes the runtime of Swift, which is linked, too."""
    text = subprocess.run([os.environ.get("SWIFT", "swift"), "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"Swift version (\S+)", text).group(1)
    purl = f"pkg:swift/github.com/swiftlang/swift@{version}"
    return {
        "type": "library",
        "bom-ref": purl,
        "group": "github.com/swiftlang",
        "name": "swift",
        "version": version,
        "description": "The runtime, the standard library and Foundation, linked statically",
        "licenses": [{"expression": "Apache-2.0 WITH Swift-exception"}],
        "purl": purl,
    }


def sbom(version):
    """Prints the document. The same packages at the same time are the same bytes."""
    components = [component(pin) for pin in packages()] + [swift()]
    root = f"pkg:generic/mortise@{version}"
    time = datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), timezone.utc)
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": "",
        "version": 1,
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": "mortise",
                "version": version,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
                "purl": root,
            },
        },
        "components": components,
        "dependencies": [{"ref": root, "dependsOn": [item["bom-ref"] for item in components]}]
        + [{"ref": item["bom-ref"]} for item in components],
    }
    document["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(document, sort_keys=True))}"
    print(json.dumps(document, indent=2))


def licenses(version):
    """Prints the texts that the licenses of the packages want to be passed on."""
    print(f"Mortise {version} contains these packages, each under its own license.")
    for pin in packages():
        described = component(pin)
        files = texts(folder(pin), r"LICEN[SC]E|NOTICE|COPYING")
        files += sorted(
            file
            for file in folder(pin).glob("Sources/*/LICENSE*")
            if file.is_file()
        )
        title = f"{described['name']} {described['version']}: {license_of(pin)}"
        print(f"\n{'=' * 100}\n{title}\n{'=' * 100}")
        for file in files:
            print(f"\n{file.relative_to(folder(pin))}:\n\n{file.read_text().rstrip()}")


if __name__ == "__main__":
    {"sbom": sbom, "licenses": licenses}[sys.argv[1]](sys.argv[2])
