"""The pages, a file each. Not part of the API, so not in its document."""

from __future__ import annotations

from typing import Final

from tinyjpg_server.routes.pages import (
    account,
    archive,
    dashboard,
    dashboard_images,
    dashboard_keys,
    docs,
    home,
    log_in,
    plan,
    pricing,
    results,
    sign_up,
    web_images,
)

PAGES: Final = (
    home.router,
    web_images.router,
    results.router,
    archive.router,
    sign_up.router,
    log_in.router,
    account.router,
    plan.router,
    dashboard.router,
    dashboard_keys.router,
    dashboard_images.router,
    docs.router,
    pricing.router,
)
