"""The redrawing of a GIF frame, done literally: every known string that fits is weighed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Colour = npt.NDArray[np.float32]

NOTHING: Colour = np.zeros(3, np.float32)


def convert(rgb: npt.ArrayLike) -> Colour:
    """Luma, red against green, blue against luma."""
    red, green, blue = np.asarray(rgb, np.float32)[:3]
    luma = np.float32(0.30) * red + np.float32(0.62) * green + np.float32(0.08) * blue
    return np.array(
        [luma, (red - green) * np.float32(0.75), (blue - luma) * np.float32(0.5)], np.float32
    )


@dataclass
class Node:
    """A string of the dictionary: a symbol after its parent's."""

    code: int
    symbol: int
    first: int
    children: list[Node] = field(default_factory=list)

    def child(self, symbol: int) -> Node | None:
        return next((one for one in self.children if one.symbol == symbol), None)


@dataclass
class Match:
    node: Node
    symbols: list[int]
    value: np.float32
    carried: Colour


@dataclass
class Encoder:
    """Frame and palette; arguments as in native/cdef.h."""

    target: Pixels
    shown: Pixels
    palette: list[tuple[int, int, int]]
    transparent: int
    code_size: int
    tolerance: float
    prefers_transparent: bool

    def error(self, at: int, symbol: int, carried: Colour) -> tuple[np.float32, Colour] | None:
        """The square error of painting a pixel with a symbol, and what is left over."""
        wanted, present = self.target[at], self.shown[at]
        if symbol == self.transparent:
            if wanted[3] != present[3]:
                return None
            if not wanted[3]:
                return np.float32(0), NOTHING
            painted = convert(present)
        elif not wanted[3] or symbol >= len(self.palette):
            return None
        else:
            painted = convert(self.palette[symbol])
        difference = convert(wanted) - painted
        left = difference + carried
        eased = difference + np.float32(0.5) * carried
        full = half = np.float32(0)
        for part in range(3):
            full += left[part] * left[part]
            half += eased[part] * eased[part]
        return min(full, half), left

    def codes(self) -> tuple[list[tuple[int, int]], list[int]]:
        """(code, width) pairs and the symbol of each pixel; for less than a full dictionary."""
        clear = 1 << self.code_size
        roots = [Node(code, code, code) for code in range(clear)]
        # Of strings of equal worth the first counts: transparent, then in the order of luma.
        shades = [convert(colour)[0] for colour in self.palette]
        roots.sort(key=lambda root: -1 if root.code == self.transparent else shades[root.code])
        following, width = clear + 2, self.code_size + 1
        out, symbols = [(clear, width)], list[int]()
        parent: Node | None = None
        carried = NOTHING
        while len(symbols) < len(self.target):
            guess = None
            if parent is not None and parent.child(parent.first) is None:
                guess = Node(following, parent.first, parent.first)
                parent.children.insert(0, guess)
            found = self.best(roots, len(symbols), carried)
            out.append((found.node.code, width))
            if parent is not None:
                first = found.symbols[0]
                if guess is not None and first != guess.symbol:
                    parent.children.remove(guess)
                if parent.child(first) is None:
                    parent.children.insert(0, Node(following, first, parent.first))
                following += 1
                assert following < 4096
                width += following == 1 << width
            parent = found.node
            symbols += found.symbols
            carried = found.carried * np.float32(0.625)
        out.append((clear + 1, width))
        return out, symbols

    def best(self, roots: list[Node], at: int, carried: Colour) -> Match:
        fitting = list[Match]()
        for root in roots:
            self.walk(root, at, Match(root, [], np.float32(0), carried), fitting)
        if fitting:
            return max(fitting, key=lambda one: one.value)
        nearest = [
            (painted[0], root, painted[1])
            for root in roots
            if (painted := self.error(at, root.symbol, carried)) is not None
        ]
        _, root, left = min(nearest, key=lambda one: one[0])
        return Match(root, [root.symbol], np.float32(0), left)

    def walk(self, node: Node, at: int, before: Match, fitting: list[Match]) -> None:
        """Add all strings to `fitting` that begin as `before` and go on with `node`."""
        position = at + len(before.symbols)
        if position == len(self.target):
            return
        carried = before.carried * np.float32(0.625) if before.symbols else before.carried
        painted = self.error(position, node.symbol, carried)
        if painted is None or painted[0] > np.float32(self.tolerance):
            return
        worth = np.float32(self.tolerance) * np.float32(0.35) + np.float32(1 / 256)
        value = before.value + worth - painted[0]
        if node.symbol == self.transparent:
            value += worth * np.float32(0.01 if self.prefers_transparent else -0.01)
        here = Match(node, [*before.symbols, node.symbol], value, painted[1])
        fitting.append(here)
        for child in node.children:
            self.walk(child, at, here, fitting)


def pack(codes: list[tuple[int, int]]) -> bytes:
    """Codes of varying width as bytes, least significant bit first."""
    bits = "".join(f"{code:0{width}b}"[::-1] for code, width in codes)
    return bytes(int(bits[start : start + 8][::-1], 2) for start in range(0, len(bits), 8))
