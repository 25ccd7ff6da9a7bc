"""What decodes JPEGs elsewhere: a table of programs and libraries, each behind a small adapter."""

from __future__ import annotations

import base64
import html
import io
import json
import os
import re
import shutil
import subprocess
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from tinyjpg.backends import vips
from tinyjpg.containers.jpeg import JpegHeader, parse
from tinyjpg.formats import Format

Pixels = npt.NDArray[np.uint8]

_LONGEST: Final = 120.0
"""Seconds that a program may take; whatever takes longer hangs."""


class ComplaintError(AssertionError):
    """A decoder said something, or did not decode."""


@dataclass(frozen=True, slots=True)
class Decoder:
    """One way to decode.

    Attributes:
        decode: takes files and an empty folder; returns what is shown of each, height x width x 1
            or 3, or where `in_planes` the samples of each component after the other. Raises
            ComplaintError where anything was said.
        programs: names of the program, any of which will do; none for a library.
        package: of Debian, that has the program.
        in_planes: whether colours are not made, for a decoder with arithmetic of its own.
    """

    decode: Callable[[Sequence[bytes], Path], list[list[Pixels]]]
    programs: tuple[str, ...] = ()
    package: str = ""
    in_planes: bool = False

    @property
    def missing(self) -> str | None:
        """Why it cannot be asked here, and how to get it; None where it can."""
        if not self.programs or _found(self.programs):
            return None
        return f"{self.programs[0]} was not found; apt install {self.package}"


def _found(programs: Sequence[str]) -> str | None:
    return next(filter(None, map(shutil.which, programs)), None)


def _run(command: Sequence[str], data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, input=data, capture_output=True, check=False, timeout=_LONGEST)


def _of_image(image: Image.Image) -> Pixels:
    pixels = np.asarray(image)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _by_pillow(files: Sequence[bytes], folder: Path) -> list[list[Pixels]]:  # noqa: ARG001
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return [[_of_image(Image.open(io.BytesIO(file)))] for file in files]


def _by_libvips(files: Sequence[bytes], folder: Path) -> list[list[Pixels]]:  # noqa: ARG001
    with vips.decoding(Format.JPEG):
        return [[vips.pixels(vips.load(file, Format.JPEG, fail_on="warning"))] for file in files]


_DJPEG: Final = ("djpeg",)


def _by_djpeg(files: Sequence[bytes], folder: Path) -> list[list[Pixels]]:  # noqa: ARG001
    shown = []
    for file in files:
        done = _run([str(_found(_DJPEG)), "-pnm"], file)
        if done.returncode or done.stderr:
            raise ComplaintError(f"djpeg: {done.stderr.decode('utf-8', 'replace')}")
        shown.append([_of_image(Image.open(io.BytesIO(done.stdout)))])
    return shown


_FFMPEG: Final = ("ffmpeg",)
_AT_A_TIME: Final = 50
_PLANES: Final = {
    "greyscale": "gray",
    "4:4:4": "yuvj444p",
    "4:2:2": "yuvj422p",
    "4:2:0": "yuvj420p",
}
"""What ffmpeg calls them; asked for by name nothing is converted."""


# ffmpeg first looks for the facts of a file, passing over the scans, and there misses the EOI
# marker wherever the last scan has no stuffed byte, in files of libjpeg-turbo just as in ours ("EOI
# missing, emulating"; ffmpeg 5.1). It is told the facts instead: what counts is the decoding.
def _facts(header: JpegHeader) -> list[str]:
    size = f"{header.width}x{header.height}"
    known = ["-video_size", size, "-pixel_format", _PLANES[header.subsampling]]
    # As many frames a second as keep it from complaining of the low bit rate of one pixel.
    return ["-f", "image2", "-nofind_stream_info", *known, "-framerate", "1000", "-threads", "1"]


def _by_ffmpeg(files: Sequence[bytes], folder: Path) -> list[list[Pixels]]:
    shown = []
    for at in range(0, len(files), _AT_A_TIME):
        shown += _together_by_ffmpeg(files[at : at + _AT_A_TIME], folder)
    return shown


def _together_by_ffmpeg(files: Sequence[bytes], folder: Path) -> list[list[Pixels]]:
    headers = [parse(file) for file in files]
    inputs, outputs = [], []
    for number, (file, header) in enumerate(zip(files, headers, strict=True)):
        source = folder / f"{number}.jpg"
        source.write_bytes(file)
        inputs += [*_facts(header), "-i", str(source)]
        outputs += ["-map", f"{number}:v", "-pix_fmt", _PLANES[header.subsampling]]
        outputs += ["-f", "rawvideo", str(folder / f"{number}.raw")]
    done = _run([str(_found(_FFMPEG)), "-nostdin", "-y", "-v", "warning", *inputs, *outputs])
    if done.returncode or done.stderr:
        raise ComplaintError(f"ffmpeg: {done.stderr.decode('utf-8', 'replace')}")
    return [
        _split(header, (folder / f"{number}.raw").read_bytes())
        for number, header in enumerate(headers)
    ]


def _split(header: JpegHeader, raw: bytes) -> list[Pixels]:
    planes, at = [], 0
    across = max(one.horizontal for one in header.components)
    down = max(one.vertical for one in header.components)
    for one in header.components:
        height = -(-header.height * one.vertical // down)
        width = -(-header.width * one.horizontal // across)
        plane = np.frombuffer(raw, np.uint8, height * width, at)
        planes.append(plane.reshape(height, width))
        at += height * width
    if at != len(raw):
        raise ComplaintError(f"ffmpeg wrote {len(raw)} bytes for a picture of {at}")
    return planes


_CHROMIUM: Final = ("chromium", "chromium-browser", "google-chrome")
_PAGE: Final = """<!doctype html><body>%s<script>
onload = () => {
  const shown = [...document.images].map((image) => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    canvas.getContext("2d").drawImage(image, 0, 0);
    return canvas.toDataURL("image/png");
  });
  document.body.textContent = JSON.stringify(shown);
};
</script>"""


def _by_chromium(files: Sequence[bytes], folder: Path) -> list[list[Pixels]]:
    urls = [f"data:image/jpeg;base64,{base64.b64encode(file).decode()}" for file in files]
    page = folder / "page.html"
    page.write_text(_PAGE % "".join(f'<img src="{url}">' for url in urls))
    flags = ["--headless", "--disable-gpu", "--force-color-profile=srgb", "--dump-dom"]
    flags += [f"--user-data-dir={folder / 'profile'}"]
    # Root has no sandbox, and the files are our own.
    flags += ["--no-sandbox"] if os.geteuid() == 0 else []
    done = _run([str(_found(_CHROMIUM)), *flags, page.as_uri()])
    found = re.search(rb"<body>(\[.*?\])</body>", done.stdout, re.DOTALL)
    if not found:
        raise ComplaintError(f"Chromium: {done.stderr.decode('utf-8', 'replace')[-500:]}")
    shown = []
    for file, url in zip(files, json.loads(html.unescape(found[1].decode())), strict=True):
        png = base64.b64decode(url.partition(",")[2])
        if not png:
            raise ComplaintError("Chromium shows nothing of a picture")
        pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
        is_grey = len(parse(file).components) == 1
        if is_grey and (pixels != pixels[..., :1]).any():
            raise ComplaintError("Chromium shows colours in a grey picture")
        shown.append([pixels[..., :1] if is_grey else pixels])
    return shown


DECODERS: Final = {
    "Pillow": Decoder(_by_pillow),
    "libvips": Decoder(_by_libvips),
    "djpeg": Decoder(_by_djpeg, _DJPEG, "libjpeg-turbo-progs"),
    "Chromium": Decoder(_by_chromium, _CHROMIUM, "chromium"),
    "ffmpeg": Decoder(_by_ffmpeg, _FFMPEG, "ffmpeg", in_planes=True),
}
