"""JPEG files of processes that no installed encoder writes, 24 x 16 pixels, as base64.

The arithmetic one was made by `cjpeg -arithmetic` (libjpeg-turbo 2.1.5), the other two by
libjpeg-turbo 3 through imagecodecs; all show a gradient with a chequered pattern.
"""

from __future__ import annotations

import base64
from typing import Final

WIDTH: Final = 24
HEIGHT: Final = 16

ARITHMETIC: Final = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIs"
    "IxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL/2wBDAQkJCQwLDBgNDRgyIRwhMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIy"
    "MjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjL/yQARCAAQABgDASIAAhEBAxEB/8wACgAQEAUBEBEF/9oADAMBAAIR"
    "AxEAPwDRecsHSOxolhcZs5SHWYy56UIWlxzLLhYv2Y9QAiV2crrr9yNUgrn7wdJ0bq0RJtoOXwF9eKH/2Q=="
)
"""Sequential, arithmetic coding, YCbCr 4:2:0."""

TWELVE_BIT: Final = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4R"
    "DgsLEBYQERMUFRUVDA8XGBYUGBIUFRT/wQALDAAQABgBAREA/8QAFQABAQAAAAAAAAAAAAAAAAAADA3/xAAiEAAA"
    "BAQHAAAAAAAAAAAAAAASExUXCQsUFhoiJUJDY3T/2gAIAQEAAD8AFmS3GCVh8Wu0B+3cpuK3ElKD7DzVPrATuHlV"
    "Vy3GCVh8Wu0B+3cpuK3ElKD7DzVPrATuHlVVy3GCVh8Wu0B+3cpuK3ElKD7DzVPrATuHlnVMtxglYfFrtAft3Kbi"
    "txJSg+w81T6wE7h5VVctxglYfFrtAft3KbitxJSg+w81T6wE7h5VVctxglYfFrtAft3KbitxJSg+w81T6wE7h5f/"
    "2Q=="
)
"""Extended sequential, Huffman coding, 12 bits, one component."""

LOSSLESS: Final = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/wwALCAAQABgBAREA/8QAFwABAQEBAAAAAAAAAAAAAAAABAUCCP/aAAgBAQAB"
    "AADn9CEXEIQNCEXEIQNCEXEIRtCEXEIQNCEXEIQNCEXEIRtCEXEIQNCEXEIQNCEXEIRtCEXEIQNCEXEIQNCEXEIR"
    "XQhA0IRcQhA0IRcQhA0IRtCEDQhFxCEDQhFxCEDQhG0IQNCEXEIQNCEXEIQNCEbQhA0IRcQhA0IRcQhA0IROQhFx"
    "CEDQhFxCEDQhFxCEbQhFxCEDQhFxCEDQhFxCEbQhFxCEDQhFxCEDQhFxCEbQhFxCEDQhFxCEDQhFxCEV0IQNCEXE"
    "IQNCEXEIQNCEbQhA0IRcQhA0IRcQhA0IRtCEDQhFxCEDQhFxCEDQhG0IQNCEXEIQNCEXEIQNCEf/2Q=="
)
"""The lossless process, Huffman coding, 8 bits, one component."""
