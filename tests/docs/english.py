"""Owns the check of our English: banned words, openings of docstrings, and long sentences.

``python -m tests.docs.english`` lists the breaches, and ``--write`` updates the list of files that
are not yet covered. CONTRIBUTING.md has the rules.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import yaml

from tests.docs.markdown import pages, prose
from tests.support.checkout import CHECKOUT

TO_DO = Path(__file__).with_name("english_to_do.txt")
MOST_WORDS = 25
WORDS, LONG = "words", "long sentences"
# The check skips long sentences here, because nobody edits a decision later.
NOT_COUNTED = "docs/decisions/"

# "is no" is good English before these words, for example "is no longer".
COMPARED = (
    "longer|more|fewer|less|later|earlier|older|larger|smaller|higher|lower|shorter|such|other"
)
BANNED = {
    "mend": "fix",
    r"mend(?:s|ed|ing)": "fix",
    "anew": "again",
    "seldom": "rarely",
    "meanwhile": "until then, or name the time",
    "whoever": "anybody who, or name the actor",
    "beside": "next to, or besides",
    r"reckon(?:s|ed|ing)? with": "expect",
    r"(?:un)?told(?! apart)(?! \S+ apart)": "report, say",
    r"tell(?:s|ing)?(?! apart)(?! [^.;]{1,40} apart)": "report, say",
    r"h(?:old(?:s|ing)?|eld)\b[^.;]{0,50} against": "check against",
    "for ever": "forever",
    "in the place of": "instead of",
    "for want of": "because there is no ...",
    "each once": "without repeats",
    "the very": "the same, this",
    "hence": "so",
    "likewise": "also, the same way",
    r"(?<=[.;:] )else": "otherwise",
    "shall": "must, will",
    "also (?:when|where|if)": "even when, including",
    "(?:is|are|was|were) to have": "should have, was due to",
    rf"(?<!there )(?<!there's )(?:is|are|was|were|be) no (?!(?:{COMPARED})\b)\w+": "is not a",
}
_BANNED = [(re.compile(rf"\b{each}\b", re.IGNORECASE), instead) for each, instead in BANNED.items()]
_OPENING = re.compile(r"\s*(Give|Tell|Spell|Say|Hold)s?\b")
_CODE = re.compile(r"(`+).+?\1", re.DOTALL)
_LINK = re.compile(r"!?\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\([^()\s]+\)")
_SENTENCE = re.compile(r"(?<=[.!?])[\"')*_]*\s+(?=[\"'(*_`\[]*[A-Z0-9`\[])")


def findings(path: str) -> list[tuple[str, str]]:
    """List the breaches in a file, each with the rule's name."""
    found = [
        (WORDS, each) for text, is_doc in texts(path) for each in words_of(text, is_doc=is_doc)
    ]
    if path.endswith(".md") and not path.startswith(NOT_COUNTED):
        found += [(LONG, each) for each in long_sentences(prose(path))]
    return found


def words_of(text: str, *, is_doc: bool) -> Iterator[str]:
    """List the breaches in a text; the rule about openings applies only to docstrings."""
    plain = " ".join(_LINK.sub(r"\1", _CODE.sub("X", text)).split())
    for banned, instead in _BANNED:
        for match in banned.finditer(plain):
            around = plain[max(0, match.start() - 40) : match.end() + 20]
            yield f"«{match[0]}», write {instead}: {around}"
    if is_doc and (opening := _OPENING.match(plain)):
        yield f"a docstring opens with {opening[1]}: {plain[:60]}"


def long_sentences(page: str) -> list[str]:
    """List a page's sentences with too many words; a code span counts as one word."""
    return [
        f"{count} words: {sentence}"
        for paragraph in _paragraphs(page)
        for sentence in _SENTENCE.split(paragraph)
        if (count := len(re.findall(r"\S*\w\S*", sentence))) > MOST_WORDS
    ]


def _paragraphs(page: str) -> Iterator[str]:
    """Yield paragraphs, list items and table cells, each on one line and without markup."""
    text = _LINK.sub(r"\1", _CODE.sub("X", page))
    lines: list[str] = []
    for line in [*text.splitlines(), ""]:
        begins = re.match(r"\s*(?:[-*] |\d+\. |#|>|$)", line)
        if begins or line.startswith("|"):
            yield " ".join(lines)
            lines = []
        if line.startswith("|"):
            yield from (cell.strip() for cell in line.strip("|").split("|"))
        elif line.strip():
            lines.append(line.strip().lstrip("-*#> "))
        if line.startswith("#"):
            yield lines.pop()
    yield " ".join(lines)


def texts(path: str) -> Iterator[tuple[str, bool]]:
    """Yield a file's texts for people, and whether each is a docstring."""
    if path.endswith(".md"):
        yield prose(path), False
    elif path.endswith(".py"):
        yield from _texts_of_code(path)
    else:
        yield from _texts_of_yaml((CHECKOUT / path).read_text(encoding="utf-8"))


def _texts_of_code(path: str) -> Iterator[tuple[str, bool]]:
    """Yield docstrings, comments and, outside the tests, every literal of several words."""
    source = (CHECKOUT / path).read_text(encoding="utf-8")
    tree = ast.parse(source)
    docstrings = set()
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and (text := ast.get_docstring(node))
            and isinstance(node.body[0], ast.Expr)
        ):
            docstrings.add(id(node.body[0].value))
            yield text, True
    if not path.startswith("tests/"):
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and " " in node.value.strip()
                and id(node) not in docstrings
            ):
                yield node.value, False
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string.lstrip("#: "), False


def _texts_of_yaml(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the comments, and every value of several words."""
    for line in text.splitlines():
        _, mark, comment = line.partition("# ")
        if mark:
            yield comment, False
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.ScalarEvent) and " " in event.value:
            yield event.value, False


def files() -> list[str]:
    """List the files to check: pages, code, the template and the state machine."""
    code = [
        path.relative_to(CHECKOUT).as_posix()
        for top in ("functions", "local", "tests")
        for path in (CHECKOUT / top).rglob("*.py")
    ]
    machines = [
        path.relative_to(CHECKOUT).as_posix() for path in CHECKOUT.glob("statemachine/*.yaml")
    ]
    return sorted({*pages(), *code, *machines, "template.yaml"})


@cache
def entries() -> dict[str, list[str]]:
    """Return the breaches by ``<file>: <rule>``, the format of the list of uncovered files."""
    found: dict[str, list[str]] = {}
    for path in files():
        for rule, finding in findings(path):
            found.setdefault(f"{path}: {rule}", []).append(finding)
    return found


def to_do() -> list[str]:
    return TO_DO.read_text(encoding="utf-8").splitlines()


if __name__ == "__main__":
    left = entries()
    if "--write" in sys.argv:
        TO_DO.write_text("".join(f"{each}\n" for each in sorted(left)), encoding="utf-8")
    for entry, found in left.items():
        if not (wanted := [each for each in sys.argv[1:] if each != "--write"]) or any(
            entry.startswith(each) for each in wanted
        ):
            print(entry, *found, sep="\n  ")  # noqa: T201 - for the reader at the terminal
