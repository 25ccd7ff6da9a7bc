"""The web application: its routes, and what they stand on."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Final

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from sqlalchemy.exc import SQLAlchemyError

from tinyjpg_server.accounts.keys import LastUsed
from tinyjpg_server.db.database import Database
from tinyjpg_server.failures import answer_failures, unexpected_failure
from tinyjpg_server.jobs.bell import Bell
from tinyjpg_server.jobs.waiting import Waiting
from tinyjpg_server.metrics import Metrics
from tinyjpg_server.middleware import RequestMiddleware
from tinyjpg_server.openapi.document import describe
from tinyjpg_server.pages.assets import ROUTE as ASSETS
from tinyjpg_server.pages.reference.contents import contents_of
from tinyjpg_server.pages.rendering import Pages
from tinyjpg_server.ratelimit import RateLimiter
from tinyjpg_server.routes import account, files, health, images, optimize, status, usage
from tinyjpg_server.routes.pages import PAGES
from tinyjpg_server.services import Services
from tinyjpg_server.settings import Settings, load_settings
from tinyjpg_server.storage.disk import DiskFloor
from tinyjpg_server.storage.store import open_store

_log = logging.getLogger(__name__)

_API: Final = (optimize.router, status.router, images.router, usage.router, account.router)

# Seconds between writes of when keys were last used.
_FLUSH: Final = 5.0
# Seconds that a listener waits for the bell before it looks around.
_LISTEN: Final = 30.0


def create_app(settings: Settings | None = None) -> FastAPI:
    """The ASGI application.

    Args:
        settings: in force; read from the environment and the file by default.
    """
    settings = settings or load_settings()
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with _services(settings, metrics) as services:
            app.state.services = services
            yield

    app = FastAPI(
        title="TinyJPG API",
        version="1.0",
        lifespan=lifespan,
        # The interactive pages of the framework load scripts from other hosts.
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    for router in _API:
        app.include_router(router, prefix="/api")
        app.include_router(router, prefix="/api/v1")
    pages = app.state.pages = Pages(settings)
    for router in PAGES:
        _answer_head(router)
        app.include_router(router, include_in_schema=False)
    app.add_route(ASSETS, pages.assets.serve, include_in_schema=False)
    app.include_router(files.router)
    app.include_router(health.router)
    describe(app, settings)
    app.state.contents = contents_of(app.state.document, settings)
    answer_failures(app)
    app.add_middleware(
        RequestMiddleware,
        observe=metrics.observe_request,
        unexpected=unexpected_failure,
        trust_proxy=settings.trust_proxy,
    )
    return app


def _answer_head(router: APIRouter) -> None:
    """Let HEAD be answered wherever GET is; the web server leaves the body out."""
    for route in router.routes:
        if isinstance(route, APIRoute) and route.methods and "GET" in route.methods:
            route.methods.add("HEAD")


@asynccontextmanager
async def _services(settings: Settings, metrics: Metrics) -> AsyncIterator[Services]:
    incoming = settings.data / "incoming"
    incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
    redis_url = settings.redis_url.get_secret_value() if settings.redis_url else None
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database(settings.database))
        store = await stack.enter_async_context(open_store(settings))
        services = Services(
            settings=settings,
            database=database,
            store=store,
            incoming=incoming,
            accepted=Bell(settings.data / "run", "accepted"),
            waiting=Waiting(),
            limiter=RateLimiter(redis_url),
            disk=DiskFloor(store.free_bytes, settings.disk_floor),
            last_used=LastUsed(),
            metrics=metrics,
        )
        finished = Bell(settings.data / "run", "finished")
        stopping = Bell(settings.data / "run", "stopping")
        for work in (
            _hear(finished, services.waiting),
            _hear_of_the_end(stopping, services.waiting),
            _flush(services),
        ):
            stack.push_async_callback(_stop, asyncio.create_task(work))
        yield services
        with suppress(SQLAlchemyError):
            await services.last_used.flush(database)


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _hear(finished: Bell, waiting: Waiting) -> None:
    """Wake who waits for images, for ever."""
    async with finished.listener() as listener:
        while True:
            for image_id in await listener.wait(_LISTEN):
                waiting.finished(image_id)


async def _hear_of_the_end(stopping: Bell, waiting: Waiting) -> None:
    """Let nobody wait longer once the server that started this process stops."""
    async with stopping.listener() as listener:
        while os.getppid() not in await listener.wait(_LISTEN):
            continue
    waiting.stop()


async def _flush(services: Services) -> None:
    """Write when keys were last used, for ever."""
    while True:
        await asyncio.sleep(_FLUSH)
        try:
            await services.last_used.flush(services.database)
        except SQLAlchemyError:
            # What was noted is kept for the next time.
            _log.exception("when keys were last used could not be written")
