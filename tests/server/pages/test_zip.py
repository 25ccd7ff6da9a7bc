"""Several results in one file."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import httpx

from tests.server.clients import execute, picture
from tests.server.pages.sending import finished, script_upload
from tests.server.people import Person
from tests.server.running import RunningServer


def archive(person: Person, *files: tuple[str, str]) -> httpx.Response:
    query = {"image": [name for name, _ in files], "as": [wanted for _, wanted in files]}
    return person.client.get("/web/zip", params=query)


def optimized(person: Person, format: str, seed: int = 0, **size: int) -> str:
    """The name of a finished image."""
    data = script_upload(person, picture(format, seed=seed, **size))
    assert finished(person, data["name"])["status"] == "completed"
    return str(data["name"])


def test_the_files_are_those_of_the_api_under_the_users_names(
    visitor: Person, tmp_path: Path
) -> None:
    names = {kind: optimized(visitor, kind) for kind in ("jpg", "png", "webp", "gif")}
    answer = archive(visitor, *((name, f"Büro.{kind}") for kind, name in names.items()))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="tinyjpg.zip"')
    with ZipFile(io.BytesIO(answer.content)) as opened:
        assert opened.testzip() is None
        assert opened.namelist() == ["Büro.jpg", "Büro.png", "Büro.webp", "Büro.gif"]
        assert {info.compress_type for info in opened.infolist()} == {ZIP_STORED}
        for kind, name in names.items():
            served = visitor.get(f"/direct-file/optimized/{name}.{kind}").content
            assert opened.read(f"Büro.{kind}") == served
    # A program of its own reads it, too.
    path = tmp_path / "all.zip"
    path.write_bytes(answer.content)
    subprocess.run([sys.executable, "-m", "zipfile", "-t", path], check=True, capture_output=True)


def test_names_are_made_unique_and_harmless(visitor: Person) -> None:
    name = optimized(visitor, "png")
    answer = archive(
        visitor, (name, "a.png"), (name, "A.png"), (name, "../../a.png"), (name, "a.sh"), (name, "")
    )
    with ZipFile(io.BytesIO(answer.content)) as opened:
        assert opened.namelist() == [
            "a.png",
            "A (2).png",
            "a (3).png",
            "a.sh.png",
            f"{name}.png",
        ]


def test_a_file_of_many_pieces(visitor: Person) -> None:
    name = optimized(visitor, "png", width=1100, height=900, seed=3)
    answer = archive(visitor, (name, "large.png"))
    with ZipFile(io.BytesIO(answer.content)) as opened:
        served = visitor.get(f"/direct-file/optimized/{name}.png").content
        assert opened.read("large.png") == served


def test_twenty_and_no_more(visitor: Person) -> None:
    name = optimized(visitor, "png")
    twenty = archive(visitor, *[(name, "a.png")] * 20)
    with ZipFile(io.BytesIO(twenty.content)) as opened:
        assert len(opened.namelist()) == 20
    for files in ([], [(name, "a.png")] * 21):
        answer = archive(visitor, *files)
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")


def test_what_is_not_there_is_said(server: RunningServer, visitor: Person) -> None:
    there = optimized(visitor, "png")
    answer = archive(visitor, (there, "a.png"), ("0" * 32, "b.png"))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    gone = optimized(visitor, "png", seed=1)
    failed = "UPDATE images SET status = 'failed', result_attempt = NULL WHERE name = ?"
    execute(server, failed, gone)
    answer = archive(visitor, (there, "a.png"), (gone, "b.png"))
    assert (answer.status_code, answer.json()["code"]) == (404, "failed")
    lost = optimized(visitor, "png", seed=2)
    (path,) = (server.data / "files" / "optimized" / lost).iterdir()
    path.unlink()
    assert archive(visitor, (lost, "a.png")).status_code == 404
