from __future__ import annotations

import posixpath
import re
from urllib.parse import unquote, urlsplit

import pytest

from tests.docs.markdown import anchors, code_spans, links, pages, prose, table, text_of
from tests.support.checkout import CHECKOUT

# Addresses of package and image registries, and paths that exist on only one machine.
FOREIGN = re.compile(
    r"[\w-]*(?:pypi|pythonhosted|registry|npmjs|ghcr|docker|ecr)[\w-]*\.(?:aws|com|io|org)\b"
    r"|\d{12}\.dkr\.|(?<![\w.])/(?:home|root|Users|work|opt)/"
)
IN_REPOSITORY = re.compile(
    r"(?:docs|events|functions|local|statemachine|tests)/[\w./-]+|(?:README|CHANGELOG|CONTRIBUTING|SECURITY)\.md"
    r"|template\.yaml|samconfig\.toml|Makefile|pyproject\.toml|\.ci/run"
)
# Files that a page asks its reader to create.
MADE_BY_THE_READER = frozenset({"functions/strategies/calm_trend.py"})


@pytest.mark.parametrize("page", pages())
def test_every_relative_link_leads_to_a_file_and_its_heading(page: str) -> None:
    broken = []
    for target in links(page):
        parts = urlsplit(target)
        if parts.scheme or parts.netloc:
            continue
        path = posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(parts.path)))
        there = page if not parts.path else path
        if not (CHECKOUT / there).exists() or (
            parts.fragment and there.endswith(".md") and parts.fragment not in anchors(there)
        ):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", pages())
def test_every_file_named_between_backticks_exists(page: str) -> None:
    missing = [
        span
        for span in code_spans(prose(page))
        if IN_REPOSITORY.fullmatch(span)
        and span not in MADE_BY_THE_READER
        and not (CHECKOUT / span).exists()
    ]
    assert missing == []


@pytest.mark.parametrize("page", pages())
def test_no_page_names_a_registry_or_a_path_of_one_machine(page: str) -> None:
    assert FOREIGN.findall(text_of(page)) == []


@pytest.mark.parametrize("page", pages())
def test_every_link_elsewhere_is_https(page: str) -> None:
    outside = [each for each in links(page) if urlsplit(each).scheme]
    assert [each for each in outside if not each.startswith("https://")] == []


def test_the_index_names_every_page() -> None:
    named = {posixpath.normpath(posixpath.join("docs", each)) for each in links("docs/README.md")}
    of_docs = {page for page in pages() if posixpath.dirname(page) == "docs"}
    assert of_docs - named == {"docs/README.md"}


def test_the_glossary_is_short_and_in_order() -> None:
    words = table("docs/glossary.md", "Glossary").column("Word")
    assert words == sorted(words)
    assert len(words) <= 35
