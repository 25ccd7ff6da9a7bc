"""The parent believes nothing a worker says, however it arrives."""

from __future__ import annotations

import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.misbehaving_worker import image
from tests.engine.worker_messages import message, result
from tinyjpg import (
    CorruptImageError,
    Format,
    Keep,
    Limits,
    Options,
    Result,
    TinyJPGError,
    WorkerError,
)
from tinyjpg.wire import (
    Job,
    Message,
    MessageReader,
    decode_job,
    decode_reply,
    encode_error,
    encode_job,
    encode_result,
)

JOB = Job(image(bytes(2000)), 80, Options())

# A busy machine is no failure.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def receive(*pieces: bytes) -> Message:
    """The message that `pieces` add up to."""
    reader = MessageReader(max_payload=len(JOB.data))
    *early, last = [reader.feed(piece) for piece in pieces]
    assert not any(early)
    assert last is not None
    return last


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(b"\0" * 200, id="zeros"),
        pytest.param(b"\xff" * 200, id="huge lengths"),
        pytest.param(struct.pack(">IQ", 2**31, 0) + b"{", id="huge header"),
        pytest.param(struct.pack(">IQ", 1, 2**40) + b"{", id="huge payload"),
        pytest.param(struct.pack(">IQ", 10, 0) + b"not a json", id="no json"),
        pytest.param(struct.pack(">IQ", 60_000, 0) + b"[" * 60_000, id="deep json"),
        pytest.param(struct.pack(">IQ", 60_000, 0) + b"1" * 60_000, id="long number"),
        pytest.param(struct.pack(">IQ", 4, 0) + b'"\xff\xfe"', id="no text"),
        pytest.param(message([]), id="a list"),
        pytest.param(message({}), id="nothing"),
        pytest.param(message({"ready": True}), id="another greeting"),
        pytest.param(message(result() | {"error": {}}), id="result and error"),
        pytest.param(message({"error": "text"}), id="an error that is a text"),
        pytest.param(message({"error": {"type": "OSError", "message": ""}}), id="foreign error"),
        pytest.param(message({"error": {"type": [], "message": ""}}), id="error of no type"),
        pytest.param(message({"error": {"type": "ImageError"}}), id="error without message"),
        pytest.param(message({"result": None}), id="result that is null"),
        pytest.param(message(result(width=0)), id="no width"),
        pytest.param(message(result(width="")), id="width missing"),
        pytest.param(message(result(height=1.5)), id="half a pixel"),
        pytest.param(message(result(frames=True)), id="true frames"),
        pytest.param(message(result(width=10**30)), id="endless width"),
        pytest.param(message(result(method=7)), id="method is a number"),
        pytest.param(message(result(method="x" * 9000)), id="method is a novel"),
        pytest.param(message(result(score="high")), id="score is a text"),
        pytest.param(message(result(score=float("nan"))), id="score is nan"),
        pytest.param(message(result(probes=-1)), id="probes below zero"),
        pytest.param(message(result(elapsed=float("inf"))), id="elapsed is endless"),
        pytest.param(message(result(elapsed=10**400)), id="elapsed is no float"),
        pytest.param(message(result(unchanged=False)), id="changed to nothing"),
        pytest.param(message(result(), b"data"), id="unchanged with data"),
        pytest.param(message(result(unchanged=False), b"<html>"), id="not an image"),
        pytest.param(message(result(unchanged=False), b"GIF89a"), id="another format"),
        pytest.param(message(result()) + b"more", id="more than announced"),
        pytest.param(message(result()) * 2, id="twice"),
        pytest.param(message(result(unchanged=False), JOB.data + b"+"), id="larger than the input"),
    ],
)
def test_a_reply_that_makes_no_sense(reply: bytes) -> None:
    with pytest.raises(WorkerError, match="broke its protocol"):
        decode_reply(receive(reply), JOB)


@patient
@given(st.binary(max_size=300))
def test_noise_is_never_more_than_a_worker_error(noise: bytes) -> None:
    reader = MessageReader(max_payload=len(JOB.data))
    try:
        reply = reader.feed(noise)
        if reply is not None:
            decode_reply(reply, JOB)
    except WorkerError:
        pass


_json = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
)
_fields = st.sampled_from(list(result()["result"]))  # type: ignore[call-overload]


@patient
@given(st.dictionaries(_fields, _json), st.sampled_from([b"", b"GIF89a", JOB.data[:99]]))
def test_a_reply_is_a_valid_result_or_refused(changes: dict[str, object], data: bytes) -> None:
    try:
        reply = decode_reply(receive(message(result(**changes), data)), JOB)
    except WorkerError:
        return
    assert reply.data in (JOB.data, JOB.data[:99])
    assert min(reply.width, reply.height, reply.frames) >= 1
    assert reply.format is Format.PNG
    reply.method.encode()
    assert 0 <= reply.saved < 1


@patient
@given(st.text())
def test_what_is_printed_cannot_steer_a_terminal(text: str) -> None:
    reply = receive(message({"error": {"type": "CorruptImageError", "message": text}}))
    with pytest.raises(CorruptImageError) as caught:
        decode_reply(reply, JOB)
    printed = str(caught.value)
    assert printed.replace("\n", "").isprintable()
    printed.encode()  # which lone surrogates would refuse
    if text.isprintable():
        assert printed == text


def test_escapes_and_lone_surrogates_are_spelled_out() -> None:
    reply = receive(message(result(method="\x1b[31mred \ud800 \u202e fine: ü")))
    assert decode_reply(reply, JOB).method == "\\x1b[31mred \\ud800 \\u202e fine: ü"


@patient
@given(st.lists(st.integers(1, 400), max_size=20))
def test_a_message_may_arrive_in_any_pieces(sizes: list[int]) -> None:
    whole = message(result(unchanged=False), JOB.data[:1000])
    pieces = []
    for size in sizes:
        pieces.append(whole[:size])
        whole = whole[size:]
    pieces = [piece for piece in (*pieces, whole) if piece]
    assert receive(*pieces) == Message(result(unchanged=False), JOB.data[:1000])


@pytest.mark.parametrize("unchanged", [True, False])
def test_a_result_survives(unchanged: bool) -> None:
    sent = Result(
        data=JOB.data if unchanged else JOB.data[:77],
        format=Format.PNG,
        width=3,
        height=4,
        frames=5,
        input_size=len(JOB.data),
        method="ein Verfahren für alle",
        score=81.123456789,
        probes=3,
        elapsed=0.1,
    )
    pieces = [encode_result(sent, unchanged=unchanged)] + [sent.data] * (not unchanged)
    assert decode_reply(receive(*pieces), JOB) == sent


def test_a_job_survives_with_all_options() -> None:
    job = Job(
        JOB.data,
        37,
        Options(
            keep=frozenset({Keep.ALL, Keep.CREATION}),
            limits=Limits(max_input_bytes=1, max_pixels=2, max_frames=3, deadline=0.25),
            effort=9,
        ),
    )
    assert decode_job(receive(encode_job(job), job.data)) == job


def test_an_error_of_a_class_unknown_here_arrives_as_its_base() -> None:
    class ShreddedImageError(CorruptImageError):
        pass

    with pytest.raises(CorruptImageError, match="in strips") as caught:
        decode_reply(receive(encode_error(ShreddedImageError("in strips"))), JOB)
    assert type(caught.value) is CorruptImageError


def test_an_endless_message_of_an_error_is_cut_short() -> None:
    with pytest.raises(TinyJPGError) as caught:
        decode_reply(receive(encode_error(TinyJPGError("\U0001f4a3" * 10**6))), JOB)
    assert len(str(caught.value)) > 1000
