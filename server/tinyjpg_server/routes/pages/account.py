"""The page of one's own account: what it is, another password, the end of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tinyjpg_server.accounts.caller import Caller
from tinyjpg_server.accounts.passwords import LONGEST, SHORTEST
from tinyjpg_server.accounts.sessions import open_session
from tinyjpg_server.accounts.users import change_password, delete_user, find_user
from tinyjpg_server.db import clock
from tinyjpg_server.errors import (
    ApiError,
    FieldErrors,
    TooManyRequestsError,
    UnauthorizedError,
    UnavailableError,
    ValidationFailedError,
)
from tinyjpg_server.pages.forms import PostedForm
from tinyjpg_server.pages.rendering import pages_of
from tinyjpg_server.routes.account import LoggedIn
from tinyjpg_server.routes.pages.log_in import check_password_of
from tinyjpg_server.services import services_of
from tinyjpg_server.session_cookie import drop_session, set_session

_DONE: Final = {"password": "Your password is changed. Everybody else was logged out."}
_WRONG: Final = "This is not your password."

router = APIRouter()


@router.get("/account")
async def account(request: Request, caller: LoggedIn) -> Response:
    """What is known of the account, and the forms."""
    done = _DONE.get(request.query_params.get("done", ""), "")
    return await _account_page(request, caller, done=done)


@router.post("/account/password")
async def set_password(request: Request, caller: LoggedIn, fields: PostedForm) -> Response:
    """Set another password, end all sessions and begin a new one for this browser."""
    services = services_of(request)
    try:
        user = await check_password_of(request, caller.email, fields.get("current_password", ""))
        await change_password(services.database, user.email, fields.get("new_password", ""))
    except UnauthorizedError as error:
        return await _refused(request, caller, error, {"current_password": [_WRONG]})
    except ValidationFailedError as error:
        return await _refused(request, caller, error, {"new_password": error.errors["password"]})
    except (TooManyRequestsError, UnavailableError) as error:
        return await _refused(request, caller, error)
    async with services.database.write() as connection:
        token = await open_session(connection, user.id, clock.now())
    # Not this page: its forms would fit the session that is over.
    answer = RedirectResponse("/account?done=password", 303)
    set_session(answer, services.settings, token)
    return answer


@router.post("/account/delete")
async def delete_account(request: Request, caller: LoggedIn, fields: PostedForm) -> Response:
    """Remove the account and all it has."""
    services = services_of(request)
    try:
        user = await check_password_of(request, caller.email, fields.get("password", ""))
    except UnauthorizedError as error:
        return await _refused(request, caller, error, {"password": [_WRONG]})
    except (TooManyRequestsError, UnavailableError) as error:
        return await _refused(request, caller, error)
    async with services.database.write() as connection:
        await delete_user(connection, user.email)
    answer = RedirectResponse("/log-in?done=deleted", 303)
    drop_session(answer, services.settings)
    return answer


async def _refused(
    request: Request, caller: Caller, error: ApiError, errors: FieldErrors | None = None
) -> Response:
    # The person is known all the same, so a wrong password is a wrong field.
    status = ValidationFailedError.status if errors else error.status
    return await _account_page(
        request,
        caller,
        errors=errors,
        fault="" if errors else error.message,
        status=status,
        headers=error.headers,
    )


async def _account_page(
    request: Request,
    caller: Caller,
    *,
    done: str = "",
    errors: FieldErrors | None = None,
    fault: str = "",
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    async with services_of(request).database.read() as connection:
        user = await find_user(connection, caller.email)
    return pages_of(request).render(
        request,
        "account.html",
        caller,
        status=status,
        headers=headers,
        user=user,
        done=done,
        errors=errors or {},
        fault=fault,
        shortest=SHORTEST,
        longest=LONGEST,
    )
