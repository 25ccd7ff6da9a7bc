"""SSIMULACRA2 written down literally, slowly and in double precision: the oracle of the tests.

Every scale, every channel and every weight of the definition (cloudinary/ssimulacra2 2.1).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# Channel (X, Y, B), scale, norm (L1, L4), map (ssim, ringing, blur).
WEIGHTS: Final = (
    0.0,
    0.0007376606707406586,
    0.0,
    0.0,
    0.0007793481682867309,
    0.0,
    0.0,
    0.0004371155730107379,
    0.0,
    1.1041726426657346,
    0.00066284834129271,
    0.00015231632783718752,
    0.0,
    0.0016406437456599754,
    0.0,
    1.8422455520539298,
    11.441172603757666,
    0.0,
    0.0007989109436015163,
    0.000176816438078653,
    0.0,
    1.8787594979546387,
    10.94906990605142,
    0.0,
    0.0007289346991508072,
    0.9677937080626833,
    0.0,
    0.00014003424285435884,
    0.9981766977854967,
    0.00031949755934435053,
    0.0004550992113792063,
    0.0,
    0.0,
    0.0013648766163243398,
    0.0,
    0.0,
    0.0,
    0.0,
    0.0,
    7.466890328078848,
    0.0,
    17.445833984131262,
    0.0006235601634041466,
    0.0,
    0.0,
    6.683678146179332,
    0.00037724407979611296,
    1.027889937768264,
    225.20515300849274,
    0.0,
    0.0,
    19.213238186143016,
    0.0011401524586618361,
    0.001237755635509985,
    176.39317598450694,
    0.0,
    0.0,
    24.43300999870476,
    0.28520802612117757,
    0.0004485436923833408,
    0.0,
    0.0,
    0.0,
    34.77906344483772,
    44.835625328877896,
    0.0,
    0.0,
    0.0,
    0.0,
    0.0,
    0.0,
    0.0,
    0.0,
    0.0008680556573291698,
    0.0,
    0.0,
    0.0,
    0.0,
    0.0,
    0.0005313191874358747,
    0.0,
    0.00016533814161379112,
    0.0,
    0.0,
    0.0,
    0.0,
    0.0,
    0.0004179171803251336,
    0.0017290828234722833,
    0.0,
    0.0020827005846636437,
    0.0,
    0.0,
    8.826982764996862,
    23.19243343998926,
    0.0,
    95.1080498811086,
    0.9863978034400682,
    0.9834382792465353,
    0.0012286405048278493,
    171.2667255897307,
    0.9807858872435379,
    0.0,
    0.0,
    0.0,
    0.0005130064588990679,
    0.0,
    0.00010854057858411537,
)

_MIX: Final = np.array(
    [
        [0.30, 0.622, 0.078],
        [0.23, 0.692, 0.078],
        [0.24342268924547819, 0.20476744424496821, 0.5518098665095536],
    ]
)
_BIAS: Final = 0.0037930732552754493
_HALF_KERNEL: Final = (0.264621105, 0.212928592, 0.109335373, 0.036011115, 0.009414368)


def score(original: npt.NDArray[np.number], distorted: npt.NDArray[np.number]) -> float:
    """The score of two height x width x 3 images of sRGB code values, 0 to 255, fractions too."""
    total = weighted_sum(original, distorted)
    total *= 0.9562382616834844
    total = (
        2.326765642916932 * total
        - 0.020884521182843837 * total**2
        + 6.248496625763138e-5 * total**3
    )
    return 100 - 10 * total**0.6276336467831387 if total > 0 else 100.0


def weighted_sum(original: npt.NDArray[np.number], distorted: npt.NDArray[np.number]) -> float:
    """The errors of all scales and channels times their weights, from which the score is made."""
    one, other = _linear(original), _linear(distorted)
    errors: dict[tuple[int, int], list[float]] = {}
    scales = 0
    while scales < 6 and min(one.shape[:2]) >= 8:
        if scales:
            one, other = _halved(one), _halved(other)
        one_xyb, other_xyb = _xyb(one), _xyb(other)
        for channel in range(3):
            errors[channel, scales] = _errors(one_xyb[..., channel], other_xyb[..., channel])
        scales += 1
    weights = iter(WEIGHTS)
    return sum(
        error * next(weights)
        for channel in range(3)
        for scale in range(scales)
        for error in errors[channel, scale]
    )


def blended(pixels: npt.NDArray[np.uint8], background: float) -> Floats:
    """Code values of an RGBA image over a grey, 0 to 1, not rounded."""
    alpha = pixels[..., 3:] / 255
    shown: Floats = pixels[..., :3] * alpha + 255 * background * (1 - alpha)
    return shown


def shown(pixels: npt.NDArray[np.uint8], background: float) -> Floats:
    """Code values of 1 to 4 bands as RGB over a grey, 0 to 1, not rounded."""
    if pixels.shape[2] in (1, 2):
        pixels = np.dstack([pixels[..., :1].repeat(3, axis=2), pixels[..., 1:]])
    return blended(pixels, background) if pixels.shape[2] == 4 else pixels.astype(np.float64)


def _linear(code_values: npt.NDArray[np.number]) -> Floats:
    value = code_values.astype(np.float64) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _halved(image: Floats) -> Floats:
    height, width, _ = image.shape
    even = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    quarters = even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]
    return np.asarray(quarters / 4)


def _xyb(linear: Floats) -> Floats:
    mixed = np.cbrt(np.maximum(linear @ _MIX.T + _BIAS, 0)) - np.cbrt(_BIAS)
    x = (mixed[..., 0] - mixed[..., 1]) / 2
    y = (mixed[..., 0] + mixed[..., 1]) / 2
    return np.stack([14 * x + 0.42, y + 0.01, mixed[..., 2] - y + 0.55], axis=-1)


def _blurred(plane: Floats) -> Floats:
    height, width = plane.shape
    padded = np.pad(plane, 4)
    kernel = (*_HALF_KERNEL[:0:-1], *_HALF_KERNEL)
    rows = np.zeros((height, width + 8))
    result = np.zeros((height, width))
    for i, weight in enumerate(kernel):
        rows += weight * padded[i : i + height]
    for i, weight in enumerate(kernel):
        result += weight * rows[:, i : i + width]
    return result


def _errors(one: Floats, other: Floats) -> list[float]:
    mean_one, mean_other = _blurred(one), _blurred(other)
    variance_one = _blurred(one * one) - mean_one**2
    variance_other = _blurred(other * other) - mean_other**2
    covariance = _blurred(one * other) - mean_one * mean_other
    luminance = 1 - (mean_one - mean_other) ** 2
    structure = (2 * covariance + 0.0009) / (variance_one + variance_other + 0.0009)
    ssim = np.maximum(0, 1 - luminance * structure)
    edge = (1 + np.abs(other - mean_other)) / (1 + np.abs(one - mean_one)) - 1
    maps = (ssim, np.maximum(edge, 0), np.maximum(-edge, 0))
    return [float((values**norm).mean() ** (1 / norm)) for norm in (1, 4) for values in maps]
