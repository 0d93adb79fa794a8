"""Breaks the fence in a copy of the sources, one rule at a time, so that the history test can show that it finds it.

`broken.py apply FOLDER` edits the copy in a folder. A program that is built from it breaks the rule that MORTISE_BROKEN
names, and none without that variable. `broken.py names` prints the rules, as `RULE minutes faults`. The names are those
of docs/decisions/0014-fence.md.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

NODE = "Sources/Fence/Node/NodeView.swift"
RENEWALS = "Sources/Fence/Node/NodeView+Renewals.swift"
CHANGE = "Sources/Fence/Change/FencedChange.swift"
FENCES = "Sources/Fence/Cluster/ClusterFences.swift"
FINDER = "Sources/Verification/Cache/KeyFinder.swift"

SWITCH = """import Glibc

/// The rule that this copy of the sources breaks.
package enum Broken {
    private static let name = getenv("MORTISE_BROKEN").map { String(cString: $0) }

    package static func rule(_ rule: String) -> Bool { name == rule }
}
"""


@dataclass(frozen=True)
class Edit:
    """A text that occurs once in a file, and the text that replaces it."""

    file: str
    old: str
    new: str


EDITS = [
    Edit(
        FINDER,
        "        let now = Moment.now\n        guard let lease = home.keeper.view.lease(at: now), let entry",
        "        let now = Moment.now\n"
        '        guard let lease = home.keeper.view.lease(at: Broken.rule("LEASE_NOT_CHECKED") ? .distantPast : now),\n'
        "            let entry",
    ),
    Edit(
        NODE,
        "            && stamp.workspaceReading == stamp.workspace.slot.reading\n"
        "            && stamp.keyReading == stamp.key.reading\n",
        '            && (Broken.rule("WORKSPACE_FENCE_IGNORED") || stamp.workspaceReading == stamp.workspace.slot.reading)\n'
        '            && (Broken.rule("FILL_WITHOUT_STAMP") || stamp.keyReading == stamp.key.reading)\n',
    ),
    Edit(
        NODE,
        "stamp.epoch == ticket.epoch, ticket.workspace.count == ticket.count else",
        'Broken.rule("STAMP_TAKEN_AFTER_READ")\n'
        "            || (stamp.epoch == ticket.epoch && ticket.workspace.count == ticket.count)\n        else",
    ),
    Edit(
        RENEWALS,
        "        raised.workspace.countChange()\n",
        '        if !Broken.rule("LIFT_NOT_COUNTED") { raised.workspace.countChange() }\n',
    ),
    Edit(
        RENEWALS,
        "        if lease(at: now) == nil { epoch",
        '        if !Broken.rule("REJOIN_WITH_OLD_CACHE"), lease(at: now) == nil { epoch',
    ),
    Edit(
        RENEWALS,
        "leaseEnd.store((renewal.sentAt + times.trust)",
        'leaseEnd.store(((Broken.rule("LEASE_FROM_ANSWER") ? now : renewal.sentAt) + times.trust)',
    ),
    Edit(
        CHANGE,
        "step = .wait(fence, until: now + times.wait)",
        'step = .wait(fence, until: now + (Broken.rule("SILENT_NODE_NOT_WAITED_FOR") ? .milliseconds(100) : times.wait))',
    ),
    Edit(
        FENCES,
        "        var pause = Self.firstPause\n",
        '        if Broken.rule("NO_ACK_WAIT") { return true }\n        var pause = Self.firstPause\n',
    ),
    Edit(FENCES, "        var isFirst = true\n", "        var isFirst = true\n        var standing: UUID?\n"),
    Edit(
        FENCES,
        "                course.inserted(at: clock())\n",
        "                standing = fence\n                course.inserted(at: clock())\n",
    ),
    Edit(
        FENCES,
        "                await commit(&course, &result, change)\n",
        '                if Broken.rule("LIFT_BEFORE_COMMIT"), let fence = standing {\n'
        "                    try await ask(session, FenceStatements.lift, fence)\n                }\n"
        "                await commit(&course, &result, change)\n",
    ),
    Edit(
        FENCES,
        "course.lifted(wasStanding: try rows",
        'course.lifted(wasStanding: try Broken.rule("LIFT_BEFORE_COMMIT") || rows',
    ),
]

# The rules, each with the minutes and the faults of its run.
RULES = {
    "LEASE_FROM_ANSWER": (2.0, "fade"),
    "REJOIN_WITH_OLD_CACHE": (1.0, "stop,cut"),
    "WORKSPACE_FENCE_IGNORED": (0.5, "none"),
    "LEASE_NOT_CHECKED": (1.0, "stop,cut"),
    "FILL_WITHOUT_STAMP": (0.5, "none"),
    "STAMP_TAKEN_AFTER_READ": (1.0, "hold"),
    "LIFT_NOT_COUNTED": (2.0, "hold"),
    "NO_ACK_WAIT": (0.5, "none"),
    "SILENT_NODE_NOT_WAITED_FOR": (1.0, "stop,cut"),
    "LIFT_BEFORE_COMMIT": (1.0, "none"),
}


def apply(folder: Path) -> None:
    """Edits the copy in a folder.

    Raises:
        SystemExit: if an edit does not fit the sources any more.
    """
    for edit in EDITS:
        path = folder / edit.file
        text = path.read_text()
        if text.count(edit.old) != 1:
            sys.exit(f"{edit.file} has these lines {text.count(edit.old)} times, not once:\n{edit.old}")
        path.write_text(text.replace(edit.old, edit.new))
    (folder / "Sources/Fence/Broken.swift").write_text(SWITCH)
    named = {part.split('"')[0] for edit in EDITS for part in edit.new.split('Broken.rule("')[1:]}
    assert named == set(RULES), named ^ set(RULES)


if __name__ == "__main__":
    if sys.argv[1:] == ["names"]:
        for rule, (minutes, faults) in RULES.items():
            print(rule, minutes, faults)
    elif len(sys.argv) == 3 and sys.argv[1] == "apply":
        apply(Path(sys.argv[2]))
    else:
        sys.exit(__doc__)
