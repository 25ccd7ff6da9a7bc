"""Code with its syntax marked by classes, for docs.css to colour."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

from markupsafe import Markup, escape
from pygments.lexers import get_lexer_by_name
from pygments.token import Token, _TokenType

KEY: Final = "YOUR_API_KEY"
"""What stands for the reader's API key in examples."""

# Kinds of token -> class; the most special kind that is named counts. All else has the colour of
# text and no element, which makes the page a third smaller.
_CLASSES: Final = {
    Token.Literal.String: "s",
    Token.Literal.Number: "m",
    Token.Keyword: "k",
    Token.Keyword.Constant: "m",
    Token.Operator.Word: "k",
    Token.Name.Tag: "n",
    Token.Name.Builtin: "n",
    Token.Name.Function: "n",
    Token.Comment: "c",
}


def highlighted(code: str, language: str) -> Markup:
    """`code` as HTML. `KEY` is in an element of its own, for a script to fill.

    `language` is a name that Pygments knows.
    """
    tokens = get_lexer_by_name(language).get_tokens(code.strip("\n"))
    pieces = ((_class(kind), text) for kind, text in tokens)
    html = "".join(_html(pieces)).rstrip("\n")
    # The lexers leave it in one piece: it is a word in a string or a comment.
    return Markup(html.replace(KEY, f'<span class="api-key">{KEY}</span>'))  # noqa: S704 - escaped


def highlighted_json(value: Any) -> Markup:
    """`value` as indented JSON as HTML."""
    return highlighted(json.dumps(value, indent=2, ensure_ascii=False), "json")


def _class(kind: _TokenType) -> str:
    named = (_CLASSES[part] for part in reversed(kind.split()) if part in _CLASSES)
    return next(named, "")


def _html(pieces: Iterator[tuple[str, str]]) -> Iterator[str]:
    for name, group in groupby(pieces, key=lambda piece: piece[0]):
        text = escape("".join(text for _, text in group))
        yield f'<span class="{name}">{text}</span>' if name else str(text)
