"""Requests that arrive together share a transaction: one write to disk for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

from sqlalchemy.exc import IntegrityError

Request = TypeVar("Request")
Answer = TypeVar("Answer")

# Keeps the write lock short for other processes.
_LARGEST: Final = 64


class GroupCommit(Generic[Request, Answer]):
    """Collects requests while a transaction runs, and hands them to the next one.

    Nothing waits for company: a request that finds no transaction under way starts one.

    Args:
        commit: does the requests in one transaction and returns an answer or an error for each,
            in order. Raises if the transaction failed: then nothing was done.
    """

    def __init__(
        self, commit: Callable[[Sequence[Request]], Awaitable[Sequence[Answer | Exception]]]
    ) -> None:
        self._commit = commit
        self._waiting: list[tuple[Request, asyncio.Future[Answer]]] = []
        self._task: asyncio.Task[None] | None = None

    async def submit(self, request: Request) -> Answer:
        """Do `request`. One that is cancelled while its transaction runs may be done all the same.

        Raises:
            Exception: the error that `commit` returned for it, or raised.
        """
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, future))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting[:_LARGEST], self._waiting[_LARGEST:]
                await self._do([entry for entry in group if not entry[1].done()])
        finally:
            self._task = None

    async def _do(
        self, group: list[tuple[Request, asyncio.Future[Answer]]], *, again: bool = False
    ) -> None:
        if not group:
            return
        try:
            answers = await self._commit([request for request, _ in group])
        except IntegrityError as error:
            # A statement raised it, so nothing was committed. One member's fault is not the
            # others': each gets a transaction of its own. A single one does, too: what another
            # process wrote meanwhile is found then.
            if not again:
                for entry in group:
                    await self._do([entry], again=True)
                return
            answers = [error]
        except Exception as error:  # noqa: BLE001 - whoever submitted raises it
            answers = [error] * len(group)
        for (_, future), answer in zip(group, answers, strict=True):
            if future.done():
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
