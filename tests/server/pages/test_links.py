"""Every link on every page leads somewhere."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urljoin, urlsplit

import pytest

from tests.server.logging_in import member
from tests.server.people import Person
from tests.server.running import RunningServer

_LINK: Final = re.compile(r'<(?:a|link|script|img)\b[^>]*?\b(?:href|src)="([^"]*)"')
_ACTION: Final = re.compile(r'<form\b[^>]*?\baction="([^"]*)"')
_ID: Final = re.compile(r'\bid="([^"]*)"')


@pytest.fixture(params=["nobody", "member"])
def person(request: pytest.FixtureRequest, server: RunningServer) -> Iterator[Person]:
    """Somebody who is not logged in, and somebody who is."""
    if request.param == "member":
        with member(server) as ann:
            yield ann
    else:
        with Person(server) as visitor:
            yield visitor


def test_every_link_leads_somewhere(person: Person) -> None:
    waiting, seen, actions = ["/"], {"/"}, set()
    while waiting:
        path = waiting.pop()
        answer = person.client.get(path, follow_redirects=True)
        place = answer.url.path
        assert answer.status_code == 200, path
        if not answer.headers["content-type"].startswith("text/html"):
            continue
        ids = set(_ID.findall(answer.text))
        actions |= {urljoin(str(answer.url), one) for one in _ACTION.findall(answer.text)}
        for link in map(html.unescape, _LINK.findall(answer.text)):
            url = urlsplit(urljoin(str(answer.url), link))
            if url.netloc != answer.url.netloc.decode() or url.scheme == "blob":
                continue
            if url.path == place and url.fragment:
                assert url.fragment in ids, f"{link} on {path}"
            target = f"{url.path}?{url.query}" if url.query else url.path
            if target not in seen:
                seen.add(target)
                waiting.append(target)
    assert {"/", "/docs", "/pricing", "/openapi.json", "/account/plan"} <= seen
    for action in actions:
        # Without the token nothing happens, but the address is there.
        answer = person.client.post(action, data={"form_token": ""})
        assert 400 <= answer.status_code < 500
        assert answer.status_code not in {404, 405}, action
