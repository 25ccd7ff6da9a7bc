"""GET /api/v1/usage and /api/v1/stats: what an account did, and what it may still do."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from tinyjpg_server import answers
from tinyjpg_server.accounts.plans import Plan
from tinyjpg_server.db import clock
from tinyjpg_server.jobs.statistics import Totals, UsageReport, usage_report
from tinyjpg_server.routes.caller import identify
from tinyjpg_server.services import services_of

router = APIRouter()


@router.get("/usage")
async def usage(request: Request) -> Response:
    """Usage Statistics."""
    services = services_of(request)
    caller, _ = await identify(request, services)
    async with services.database.read(long=True) as connection:
        report = await usage_report(connection, caller.account_id, clock.now())
    return answers.success(_report_data(report))


@router.get("/stats")
async def stats(request: Request) -> Response:
    """Remaining quota, plan and reset date."""
    caller, quota = await identify(request, services_of(request))
    return answers.success(
        {
            "plan": _plan_data(caller.plan),
            "used": quota.used,
            "pending": quota.reserved,
            "remaining": quota.remaining,
            "reset_date": quota.resets_at.isoformat(),
        }
    )


def _plan_data(plan: Plan) -> dict[str, Any]:
    return {
        "name": plan.name,
        "monthly_quota": plan.monthly_quota,
        "max_upload_size": plan.max_upload_bytes,
        "requests_per_minute": plan.requests_per_minute,
        "price": {"amount": plan.price_cents / 100, "currency": plan.currency},
    }


def _report_data(report: UsageReport) -> dict[str, Any]:
    compression = report.compression
    return {
        "monthly_trends": [
            {
                "month": month.month,
                **_totals_data(month.totals),
                "average_compression_ratio": month.average_compression_ratio,
                "failed": month.failed,
            }
            for month in report.months
        ],
        "image_types": [
            {
                "type": entry.format,
                "share": entry.share,
                **_totals_data(entry.totals),
                "average_compression_ratio": entry.average_compression_ratio,
            }
            for entry in report.types
        ],
        "compression": {
            **_totals_data(compression.totals),
            "compression_ratio": compression.totals.compression_ratio,
            "average_compression_ratio": compression.average_compression_ratio,
            "best_compression_ratio": compression.best_compression_ratio,
            "average_score": compression.average_score,
            "average_processing_time": compression.average_processing_time,
            "failed": compression.failed,
        },
    }


def _totals_data(totals: Totals) -> dict[str, int]:
    return {
        "images": totals.images,
        "original_bytes": totals.original_bytes,
        "optimized_bytes": totals.optimized_bytes,
        "saved_bytes": totals.saved_bytes,
    }
