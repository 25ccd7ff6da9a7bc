"""Example calls: files in `examples/`, one for each topic and language, tested with the service."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from markupsafe import Markup

from tinyjpg_server.pages.reference.highlighting import highlighted

FOLDER: Final = Path(__file__).parent.parent / "examples"
# What the files call; the page names the service that it comes from.
_THERE: Final = "http://127.0.0.1:8000"
_WAIT: Final = 60


class Language(NamedTuple):
    """How examples in one language are named and coloured.

    Attributes:
        id: in addresses, and what a reader's choice is kept as.
        label: for people.
        suffix: of the files.
        lexer: Pygments' name.
    """

    id: str
    label: str
    suffix: str
    lexer: str


LANGUAGES: Final = (
    Language("curl", "cURL", ".sh", "bash"),
    Language("python", "Python", ".py", "python"),
    Language("javascript", "JavaScript", ".mjs", "javascript"),
)


@dataclass(frozen=True, slots=True)
class Example:
    """One call in one language; `html` is its code."""

    language: Language
    html: Markup


def load_examples(base_url: str, longest_wait: float) -> Mapping[str, tuple[Example, ...]]:
    """Topic -> its example in each of `LANGUAGES`, for the service at `base_url`.

    None waits for longer than `longest_wait` seconds.
    """
    wait = f"wait={min(_WAIT, longest_wait):g}"
    found: dict[str, list[Example]] = defaultdict(list)
    for language in LANGUAGES:
        for path in sorted(FOLDER.glob(f"*{language.suffix}")):
            code = path.read_text(encoding="utf-8")
            code = code.replace(_THERE, base_url).replace(f"wait={_WAIT}", wait)
            found[path.stem].append(Example(language, highlighted(code, language.lexer)))
    return {topic: tuple(examples) for topic, examples in found.items()}
