from __future__ import annotations

import re
from itertools import pairwise, product

import pytest

from tests.docs.asl import machine, transitions
from tests.docs.markdown import Block, blocks, pages

_NODE = r"(?P<id>\w+)(?:[(\[{/]{1,3}\"?(?P<label>[^\"()\[\]{}/]+)\"?[)\]}/]{1,3})?"
_EDGE = re.compile(r"\s+(?:-->|-\.->|--\s+[^-]+?\s+-->|-\.\s+.+?\s+\.->)\s+")


def machine_pictures() -> list[Block]:
    """Return every flowchart that contains the state machine's first state."""
    return [
        block
        for page in pages()
        for block in blocks(page, "mermaid")
        if block.text.startswith("flowchart") and "Start Run" in block.text
    ]


def drawn(block: Block) -> tuple[set[str], set[tuple[str, str]]]:
    """Read the nodes and edges of a flowchart by their labels."""
    labels: dict[str, str] = {}
    edges: list[tuple[str, str]] = []
    for line in block.text.splitlines()[1:]:
        chain = [re.split(r"\s+&\s+", part.strip()) for part in _EDGE.split(line)]
        ids = []
        for group in chain:
            nodes = [re.fullmatch(_NODE, each) for each in group]
            assert all(nodes), f"cannot read {line!r}"
            for node in nodes:
                if node and node["label"]:
                    labels[node["id"]] = node["label"]
            ids.append([node["id"] for node in nodes if node])
        for before, after in pairwise(ids):
            edges.extend(product(before, after))
    named = {each: labels.get(each, each) for pair in edges for each in pair}
    return set(labels.values()), {(named[before], named[after]) for before, after in edges}


def test_the_readme_draws_the_state_machine() -> None:
    assert "README.md" in {block.page for block in machine_pictures()}


@pytest.mark.parametrize("block", machine_pictures(), ids=lambda block: block.page)
def test_a_picture_names_every_state_and_no_other(block: Block) -> None:
    states, _ = drawn(block)
    assert states == set(machine()["States"])


@pytest.mark.parametrize("block", machine_pictures(), ids=lambda block: block.page)
def test_a_picture_draws_every_way_between_states_and_no_other(block: Block) -> None:
    _, edges = drawn(block)
    assert edges == transitions()
