"""The form of an upload, parsed as it arrives: one image, a few short fields."""

from __future__ import annotations

from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from tinyjpg_server.errors import BadRequestError, UnsupportedMediaTypeError, ValidationFailedError

IMAGE: Final = "image"
REQUIRED: Final = "The image field is required."

_MOST_PARTS: Final = 32
_MOST_FIELD_BYTES: Final = 16 * 1024
_LONGEST_NAME: Final = 100
_HOW: Final = "send the image as multipart/form-data, as in: curl -F image=@photo.jpg"


class ImageForm:
    """A push parser: bytes of the request go in, bytes of the image come out.

    Attributes:
        fields: the other fields, the last of each name.
        file_name: what the client calls the image, empty if it does not say. Nothing to trust.
        errors: what is wrong with fields, for all to be told at once.

    Raises:
        BadRequestError: from any method, when the form is malformed; code `bad_form`.
    """

    def __init__(self, boundary: bytes) -> None:
        self.fields: dict[str, str] = {}
        self.errors: dict[str, list[str]] = {}
        self.file_name = ""
        self._pieces: list[bytes] = []
        self._parts = 0
        self._field_bytes = 0
        self._has_image = False
        self._ended = False
        # Of the part at hand.
        self._header = b""
        self._value = b""
        self._disposition = b""
        self._name: str | None = None
        self._field = bytearray()
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._header_name,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_end,
                    "on_headers_finished": self._headers_finished,
                    "on_part_data": self._data,
                    "on_part_end": self._end,
                    "on_end": self._finished,
                },
            )
        except FormParserError as error:
            raise _malformed(str(error)) from error

    def feed(self, data: bytes) -> list[bytes]:
        """The bytes of the image that are in `data`.

        Raises:
            ValidationFailedError: there is a second image.
        """
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise _malformed(str(error)) from error
        pieces, self._pieces = self._pieces, []
        return pieces

    def finish(self) -> None:
        """Nothing more will come."""
        if not self._ended:
            raise _malformed("it ends before its last boundary")

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise _malformed(f"it has more than {_MOST_PARTS} parts")
        self._disposition = b""
        self._name = None
        self._field.clear()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header = self._value = b""

    def _headers_finished(self) -> None:
        kind, options = parse_options_header(self._disposition)
        if kind != b"form-data" or b"name" not in options:
            raise _malformed("a part has no Content-Disposition: form-data with a name")
        name = options[b"name"].decode("utf-8", "replace")[:_LONGEST_NAME]
        self._name = name
        if name == IMAGE:
            if self._has_image:
                message = (
                    "The image field must be one file; send the others in requests of their own."
                )
                raise ValidationFailedError("Validation failed", errors={IMAGE: [message]})
            self._has_image = True
            self.file_name = options.get(b"filename", b"").decode("utf-8", "replace")
        elif b"filename" in options:
            self.errors[name] = [f"The file must be in the field image, not in {name}."]

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._name == IMAGE:
            self._pieces.append(data[start:end])
            return
        if self._name in self.errors:
            return
        self._field_bytes += end - start
        if self._field_bytes > _MOST_FIELD_BYTES:
            raise _malformed(f"its fields have more than {_MOST_FIELD_BYTES} bytes")
        self._field += data[start:end]

    def _end(self) -> None:
        if self._name is not None and self._name != IMAGE and self._name not in self.errors:
            self.fields[self._name] = self._field.decode("utf-8", "replace")

    def _finished(self) -> None:
        self._ended = True


def boundary_of(content_type: str) -> bytes:
    """The boundary that a Content-Type header names.

    Raises:
        ValidationFailedError: there is no form at all, or one that cannot carry files.
        UnsupportedMediaTypeError: the body is something else.
        BadRequestError: it is multipart/form-data without a usable boundary.
    """
    kind, options = parse_options_header(content_type)
    if kind in {b"", b"application/x-www-form-urlencoded"}:
        raise ValidationFailedError("Validation failed", errors={IMAGE: [REQUIRED]})
    if kind != b"multipart/form-data":
        name = kind.decode("latin-1")[:_LONGEST_NAME]
        raise UnsupportedMediaTypeError(f"The body is {name}; {_HOW}.", errors={IMAGE: [REQUIRED]})
    boundary = options.get(b"boundary", b"")
    if not boundary:
        raise _malformed("its Content-Type names no boundary")
    return boundary


def _malformed(what: str) -> BadRequestError:
    what = what.rstrip(".")
    return BadRequestError(f"The form cannot be read: {what}; {_HOW}.", code="bad_form")
