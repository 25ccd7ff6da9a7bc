"""An image as the API shows it."""

from __future__ import annotations

from typing import Any

from tinyjpg_server.jobs.images import Image


def accepted_data(image: Image, base_url: str) -> dict[str, Any]:
    """What the answer to an upload says."""
    return {
        "image_id": image.id,
        "original_url": f"{base_url}/direct-file/original/{image.file_name}",
        "optimized_url": f"{base_url}/direct-file/optimized/{image.file_name}",
        "status": image.status,
        "original_size": image.original_size,
        "estimated_optimized_size": image.estimated_size,
    }


def status_data(image: Image, base_url: str) -> dict[str, Any]:
    """What is known of an image; sizes in bytes, times in seconds or ISO 8601 (UTC)."""
    data: dict[str, Any] = {
        "image_id": image.id,
        "status": image.status,
        "original_size": image.original_size,
        "optimized_size": image.optimized_size,
        "compression_ratio": _saved(image),
        "processing_time": _rounded(image.processing_time),
        "original_url": f"{base_url}/direct-file/original/{image.file_name}",
        "optimized_url": f"{base_url}/direct-file/optimized/{image.file_name}",
        "format": image.format,
        "width": image.width,
        "height": image.height,
        "quality": image.quality,
        "created_at": image.created_at.isoformat(timespec="milliseconds"),
        "expires_at": image.expires_at.isoformat(timespec="milliseconds"),
    }
    if image.status == "processing":
        data["estimated_optimized_size"] = image.estimated_size
    elif image.status == "completed":
        data["score"] = _rounded(image.score)
        data["method"] = image.method
    else:
        data["error"] = {"code": image.error_code, "message": image.error_message}
    return data


def page_data(image: Image) -> dict[str, Any]:
    """What is known of an image for pages of this origin, which know it by its name alone."""
    data = status_data(image, "")
    del data["image_id"]
    return {"name": image.name, **data}


def _saved(image: Image) -> float | None:
    """Per cent of the original that the result saves."""
    if image.optimized_size is None:
        return None
    return round(100 * (1 - image.optimized_size / image.original_size), 2)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
