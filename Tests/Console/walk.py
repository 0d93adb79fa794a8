"""Follows docs/walk.md as a reader does: runs its commands as printed in two terminals, and does its steps in Chromium.

An `sh` block is a command. A `text` or `json` block is the output of the last command, where `…` stands for any text in a line. In a command, `…`
stands for the rest of a token, which the reader pastes. An item of a numbered list is a step, in sentences of the forms in `Walk.FORMS`. Bold text is
the name of a control, and occurs only in steps. A picture shows the page at its place in the text, or the dialog that is open.
"""

from __future__ import annotations

import contextlib
import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from mortise import REPOSITORY, program
from playwright.sync_api import Page, expect, sync_playwright
from run import SCREENSHOTS, chromium, reload_until, tab

DOCUMENT = REPOSITORY / "docs/walk.md"
IMAGES = REPOSITORY / "docs/images"
# Replaces the pictures of the document.
IS_RECORDING = os.environ.get("CONSOLE_RECORD") == "1"
MOST_BYTES = 120_000
PART = re.compile(
    r"^```(?P<language>\w+)\n(?P<text>[^`]+)\n```$|^\d+\. (?P<step>.+(?:\n {3}.+)*)$|^!\[.+\]\(images/(?P<picture>.+)\)$", re.MULTILINE
)
# A reader's environment has neither settings of Mortise nor variables of the `make test` that runs this test.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("MORTISE_", "MAKE", "MFLAGS"))}


class FirstTerminal:
    """The terminal with `make run`, whose build is the program of the tests."""

    def __init__(self, folder: Path) -> None:
        (folder / "mortise").symlink_to(program())
        swift = folder / "swift"
        # The Makefile calls Swift to build the program and to ask for its folder.
        swift.write_text(f'#!/bin/sh\ncase "$*" in *--show-bin-path) echo "{folder}" ;; esac\n')
        swift.chmod(0o755)
        self.environment = {**ENVIRONMENT, "SWIFT": str(swift), "MORTISE_DATA": str(folder / "data")}
        self.process: subprocess.Popen | None = None
        self.lines: queue.Queue[str | None] = queue.Queue()
        self.output = ""

    def run(self, command: str) -> None:
        assert self.process is None, "Mortise runs already"
        self.process = subprocess.Popen(
            ["bash", "-euc", command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=REPOSITORY, env=self.environment,
            start_new_session=True,
        )
        self.reader = threading.Thread(target=self.read, args=(self.process,))
        self.reader.start()

    def read(self, process: subprocess.Popen) -> None:
        for line in process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def wait_for(self, text: str) -> None:
        while text not in self.output:
            line = self.lines.get(timeout=120)
            assert line is not None, "Mortise has ended"
            self.output += line

    def stop(self) -> None:
        """Ends Mortise as Ctrl-C does."""
        if self.process:
            os.killpg(self.process.pid, signal.SIGINT)
            self.reader.join(60)
            self.process.wait(60)


class SecondTerminal:
    """A shell that keeps what its commands export."""

    END = "the end of the command:"

    def __init__(self, folder: Path) -> None:
        # On a terminal, curl shows no progress.
        (folder / ".curlrc").write_text("no-progress-meter\nmax-time = 60\n")
        self.process = subprocess.Popen(
            ["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY, env={**ENVIRONMENT, "CURL_HOME": str(folder)}
        )

    def run(self, command: str) -> str:
        self.process.stdin.write(f"{command}\nprintf '\\n%s %s\\n' '{self.END}' $?\n")
        self.process.stdin.flush()
        output = ""
        for line in self.process.stdout:
            if line.startswith(self.END):
                assert line.split()[-1] == "0", f"{command}\nfailed: {output}"
                return output
            output += line
        raise AssertionError("the shell has ended")

    def stop(self) -> None:
        self.process.communicate(timeout=60)


class Walk:
    """A reader with a browser and two terminals."""

    def __init__(self, page: Page, first: FirstTerminal, second: SecondTerminal) -> None:
        self.page, self.first, self.second = page, first, second
        self.output = ""
        self.curl = ""
        self.pictures: set[str] = set()

    def follow(self, document: str) -> None:
        prose = PART.sub("", document)
        assert not re.search(r"\*\*|```|!\[", prose), "a control, a command or a picture that this test would skip"
        for part in PART.finditer(document):
            if part["step"]:
                self.step(" ".join(part["step"].split()))
            elif part["picture"]:
                self.picture(part["picture"])
            elif part["language"] == "sh":
                self.command(part["text"])
            else:
                self.compare(part["text"])

    def command(self, command: str) -> None:
        if command.endswith("\nmake run"):
            self.first.run(command)
            return
        if command.startswith("curl "):
            if not self.curl:
                expect(self.page.get_by_text(command, exact=True)).to_be_visible()
                self.curl = command
            assert command == self.curl, f"the console does not show the command {command}"
        if "mks_live_…" in command:
            command = command.replace("mks_live_…", self.page.evaluate("navigator.clipboard.readText()"))
        if "mka_live_…" in command:
            command = command.replace("mka_live_…", re.search(r"mka_live_\w+", self.first.output)[0])
        assert "…" not in command, f"nothing to paste in {command}"
        self.output = self.second.run(command)

    def compare(self, text: str) -> None:
        pattern = ".*".join(re.escape(piece) for piece in text.split("…"))
        output = self.output or self.first.output
        assert re.search(f"^{pattern}$", output, re.MULTILINE), f"not as the document says: {output}"

    def picture(self, name: str) -> None:
        recorded = IMAGES / name
        dialog = self.page.locator("dialog[open]")
        shown = dialog if dialog.count() else self.page
        shown.screenshot(path=recorded if IS_RECORDING else SCREENSHOTS / name)
        assert recorded.stat().st_size < MOST_BYTES, f"{name} is too large"
        self.pictures.add(name)

    def step(self, step: str) -> None:
        while step:
            matches = ((action, re.match(form, step)) for form, action in self.FORMS)
            action, match = next(((action, match) for action, match in matches if match), (None, None))
            assert match, f"a sentence of no known form: {step}"
            try:
                action(self, *match.groups())
            except Exception as error:
                raise AssertionError(f"the document says: {match[0]}") from error
            step = step[match.end():].lstrip()

    def wait(self, text: str) -> None:
        self.first.wait_for(text)

    def open(self, address: str) -> None:
        self.page.goto(address)

    def enter(self, text: str, name: str) -> None:
        self.page.get_by_label(name, exact=True).filter(visible=True).fill(text)

    def choose(self, name: str) -> None:
        self.page.get_by_role("radio", name=name, exact=True).check()

    def press(self, name: str) -> None:
        button = self.page.get_by_role("button", name=name, exact=True)
        button.or_(self.page.get_by_role("link", name=name, exact=True)).click()

    def see(self, text: str) -> None:
        expect(self.page.get_by_role("main")).to_contain_text(text, use_inner_text=True)

    def reload(self, text: str) -> None:
        reload_until(self.page, text)

    FORMS = [
        (r"Wait until the terminal shows `([^`]+)`\.", wait),
        (r"Open `([^`]+)`\.", open),
        (r"Enter `([^`]+)` in \*\*([^*]+)\*\*\.", enter),
        (r"Choose \*\*([^*]+)\*\*\.", choose),
        (r"Press \*\*([^*]+)\*\*\.", press),
        (r"The page shows `([^`]+?)`\.?", see),
        (r"Reload the page until it shows `([^`]+)`\.", reload),
    ]


@contextlib.contextmanager
def terminals() -> Iterator[tuple[FirstTerminal, SecondTerminal]]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        os.chmod(name, 0o755)
        first, second = FirstTerminal(Path(name)), SecondTerminal(Path(name))
        try:
            yield first, second
        except BaseException:
            while not first.lines.empty():
                first.output += first.lines.get() or ""
            print(f"== the first terminal shows:\n{first.output[-6000:]}", file=sys.stderr)
            raise
        finally:
            second.stop()
            first.stop()


def main() -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with terminals() as (first, second), sync_playwright() as playwright:
        browser = chromium(playwright)
        with tab(browser) as page:
            page.set_viewport_size({"width": 1120, "height": 820})
            walk = Walk(page, first, second)
            walk.follow(DOCUMENT.read_text())
        browser.close()
    unused = {path.name for path in IMAGES.glob("walk-*.png")} - walk.pictures
    assert not unused, f"docs/walk.md shows {unused} no more"
    print("docs/walk.md works as printed.")


if __name__ == "__main__":
    main()
