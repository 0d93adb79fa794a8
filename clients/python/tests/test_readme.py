"""Runs the Python examples of both READMEs exactly as printed, and compares their output with the text below them."""

from __future__ import annotations

import re

import pytest

from mortise import Mortise

from .mortise_server import PATIENT, REPOSITORY

BLOCK = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("readme", ["clients/python/README.md", "README.md"])
def test_the_examples_work_as_printed(readme, server, monkeypatch, capsys):
    with Mortise(server.url, server.operator, **PATIENT) as operator:
        # An organization of their own, so that the output does not depend on other tests.
        created = operator.organizations.create("Readme")
        operator.workspaces.create("Billing", organization=created.organization.id)
    monkeypatch.setenv("MORTISE_URL", server.url)
    monkeypatch.setenv("MORTISE_TOKEN", created.token.reveal())
    blocks = BLOCK.findall((REPOSITORY / readme).read_text())
    kinds = [kind for kind, _ in blocks]
    assert kinds
    assert kinds == ["python", "text"] * (len(kinds) // 2), "Each example has its output."
    namespace: dict[str, object] = {"__name__": "readme"}
    for (_, code), (_, output) in zip(blocks[::2], blocks[1::2], strict=True):
        exec(compile(code, readme, "exec"), namespace)
        assert capsys.readouterr().out == output
