"""What every page tells browsers: what may run, who may frame it, which cookies are whose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.server.logging_in import new_login
from tests.server.people import PASSWORD, Person
from tests.server.running import RunningServer
from tinyjpg_server.pages.assets import FOLDER

PUBLIC: Final = ("/", "/docs", "/pricing", "/no-such-page")
OF_ACCOUNTS: Final = ("/account/plan",)
_HTML: Final = {"Accept": "text/html"}


def policy_of(answer: httpx.Response) -> dict[str, set[str]]:
    """Directive -> its sources."""
    (header,) = answer.headers.get_list("content-security-policy")
    parts = (part.split() for part in header.split(";"))
    return {name: set(sources) for name, *sources in parts}


def check_headers(answer: httpx.Response) -> None:
    """Fail unless `answer` has all that a page needs."""
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = policy_of(answer)
    assert policy["default-src"] == {"'none'"}
    assert policy["script-src"] == {"'self'"}
    assert policy["style-src"] == {"'self'"}
    assert policy["frame-ancestors"] == {"'none'"}
    assert policy["base-uri"] == {"'none'"}
    assert policy["form-action"] == {"'self'"}
    sources = set().union(*policy.values())
    assert sources <= {"'self'", "'none'", "blob:"}
    for name, value in (
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cache-control", "no-store"),
    ):
        assert answer.headers.get_list(name) == [value]
    permissions = answer.headers["permissions-policy"]
    assert {"camera=()", "geolocation=()", "microphone=()"} <= set(permissions.split(", "))
    # Nothing in the page would need what the policy forbids.
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", answer.text)
    assert not re.search(r'(?:src|action)="(?:https?:|//|data:)', answer.text)
    assert not re.search(r'<link[^>]*href="(?:https?:|//|data:)', answer.text)


@pytest.mark.parametrize("path", PUBLIC)
def test_pages_have_the_headers(server: RunningServer, path: str) -> None:
    with Person(server) as visitor:
        answer = visitor.get(path)
    check_headers(answer)
    assert "strict-transport-security" not in answer.headers


@pytest.mark.parametrize("path", OF_ACCOUNTS)
def test_pages_of_accounts_have_the_headers(server: RunningServer, path: str) -> None:
    email = new_login(server)
    with Person(server, email) as ann:
        logged_in = ann.client.post("/api/session", json=ann.credentials)
        (session,) = cookies_of(logged_in)
        answer = ann.get(path)
        assert answer.status_code == 200
        check_headers(answer)
        (form,) = cookies_of(answer)
    for cookie in (session, form):
        assert {"httponly", "samesite=lax", "path=/"} <= cookie.attributes
        # On plain HTTP browsers would drop it.
        assert "secure" not in cookie.attributes
        assert not cookie.name.startswith("__Host-")


def test_who_only_reads_gets_no_cookie(server: RunningServer) -> None:
    with Person(server) as visitor:
        for path in PUBLIC[1:]:
            assert cookies_of(visitor.get(path)) == []


class Cookie:
    """One Set-Cookie header; attributes in small letters."""

    def __init__(self, header: str) -> None:
        pair, *attributes = header.split("; ")
        self.name, _, self.value = pair.partition("=")
        self.attributes = {attribute.lower() for attribute in attributes}


def cookies_of(answer: httpx.Response) -> list[Cookie]:
    """What the browser shall keep."""
    return [Cookie(header) for header in answer.headers.get_list("set-cookie")]


@pytest.fixture(scope="module")
def behind_tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A service that is reached through a proxy with TLS."""
    environment = {"TINYJPG_PUBLIC_URL": "https://images.example.com"}
    data = tmp_path_factory.mktemp("tls") / "data"
    with RunningServer(data, workers=0, environment=environment) as running:
        yield running


@pytest.mark.parametrize("path", PUBLIC)
def test_behind_tls_pages_ask_for_tls(behind_tls: RunningServer, path: str) -> None:
    with Person(behind_tls) as visitor:
        answer = visitor.get(path)
    check_headers(answer)
    seconds = re.fullmatch(r"max-age=(\d+)", answer.headers["strict-transport-security"])
    assert seconds
    assert int(seconds[1]) >= 180 * 24 * 3600


def test_behind_tls_cookies_are_this_hosts_alone(behind_tls: RunningServer) -> None:
    given = {"email": new_login(behind_tls), "password": PASSWORD}
    (session,) = cookies_of(httpx.post(f"{behind_tls.url}/api/session", json=given))
    headers = {**_HTML, "Cookie": f"{session.name}={session.value}"}
    answer = httpx.get(f"{behind_tls.url}/account/plan", headers=headers)
    assert answer.status_code == 200
    (form,) = cookies_of(answer)
    for cookie in (session, form):
        assert cookie.name.startswith("__Host-")
        assert {"secure", "httponly", "samesite=lax", "path=/"} <= cookie.attributes
        assert not any(attribute.startswith("domain") for attribute in cookie.attributes)
    # The name without the prefix is not taken: another host could have set it.
    headers = {**_HTML, "Cookie": f"tinyjpg={session.value}"}
    assert httpx.get(f"{behind_tls.url}/account/plan", headers=headers).status_code == 303


def test_static_files_are_kept_for_ever(server: RunningServer) -> None:
    with Person(server) as visitor:
        urls = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', visitor.get("/docs").text))
        assert any(url.endswith(".js") for url in urls)
        assert any(url.endswith(".css") for url in urls)
        for url in urls:
            answer = visitor.client.get(url)
            assert answer.status_code == 200
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert cookies_of(answer) == []
            # Another version is not there: it would be kept for ever under this address.
            old = re.sub(r"/static/[0-9a-f]+/", "/static/0/", url)
            assert visitor.client.get(old).status_code == 404
            assert visitor.client.get(old).headers["cache-control"] == "no-store"


def test_every_static_file_has_its_type(server: RunningServer) -> None:
    types = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
    with Person(server) as visitor:
        found = re.search(r'"(/static/[0-9a-f]+)/site\.css"', visitor.get("/").text)
        assert found
        for path in sorted(FOLDER.rglob("*")):
            if path.suffix in types:
                answer = visitor.client.get(f"{found[1]}/{Path(path).relative_to(FOLDER)}")
                assert answer.content == path.read_bytes()
                assert answer.headers["content-type"].startswith(types[path.suffix])
