"""Names of saved files: the user's own, made harmless."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyjpg_server.file_names import attachment, saved_name, unique_names


@pytest.mark.parametrize(
    ("wanted", "format", "saved"),
    [
        ("photo.jpg", "jpeg", "photo.jpg"),
        ("photo.JPEG", "jpeg", "photo.JPEG"),
        ("Grüße aus Köln.png", "png", "Grüße aus Köln.png"),
        ("写真.webp", "webp", "写真.webp"),
        ("no extension", "gif", "no extension.gif"),
        ("holiday.2026", "jpeg", "holiday.2026.jpg"),
        # Called what it is not: the format's own extension comes behind.
        ("photo.png", "jpeg", "photo.png.jpg"),
        ("setup.exe", "gif", "setup.exe.gif"),
        ("../../etc/passwd", "png", "passwd.png"),
        ("C:\\pictures\\photo.jpg", "jpeg", "photo.jpg"),
        (".hidden.png", "png", "hidden.png"),
        ('a<b>"c:d|e?f*.png', "png", "a_b__c_d_e_f_.png"),
        ("line\nbreak\x00\u202e.png", "png", "line_break__.png"),
        ("con.png", "png", "_con.png"),
        ("a" * 300 + ".png", "png", "a" * 80 + ".png"),
        ("", "png", "image.png"),
        ("..", "png", "image.png"),
    ],
)
def test_a_name_is_kept_as_far_as_it_is_harmless(wanted: str, format: str, saved: str) -> None:
    assert saved_name(wanted, format) == saved


@given(st.text(max_size=300), st.sampled_from(["jpeg", "png", "webp", "gif"]))
def test_no_name_leads_anywhere(wanted: str, format: str) -> None:
    name = saved_name(wanted, format)
    assert name.isprintable()
    assert not set(name) & set('/\\:<>"|?*')
    assert not name.startswith(".")
    assert 5 <= len(name) <= 90
    assert saved_name(name, format) == name
    header = attachment(name)
    assert header.isascii()
    assert header.isprintable()


def test_names_become_unique() -> None:
    names = ["a.png", "A.png", "a (2).png", "b.png", "a.png"]
    assert unique_names(names) == ["a.png", "A (2).png", "a (2) (2).png", "b.png", "a (3).png"]


def test_a_download_has_a_plain_name_and_the_true_one() -> None:
    assert attachment('50 % "größer".png') == (
        'attachment; filename="50 _ _gr__er_.png"; '
        "filename*=UTF-8''50%20%25%20%22gr%C3%B6%C3%9Fer%22.png"
    )
