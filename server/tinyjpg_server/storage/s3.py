"""A bucket of S3, or of a store that speaks as S3 does."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from obstore.store import S3Store

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config

# A request ends with its body, which goes out as slowly as a client takes it; what is stuck is told
# by the time between two reads.
_LONGEST: Final = timedelta(hours=1)
_SILENCE: Final = timedelta(seconds=20)
_RETRIES: Final[RetryConfig] = {"max_retries": 3, "retry_timeout": timedelta(seconds=30)}


def bucket(url: str, endpoint: str | None = None, *, path_style: bool = True) -> S3Store:
    """A bucket, or what lies below a prefix in it. Nothing is asked of it yet.

    Credentials, region and all else that obstore knows of S3 come from the environment, under the
    names that Amazon's own tools use (AWS_ACCESS_KEY_ID and so on).

    Args:
        url: s3://BUCKET or s3://BUCKET/PREFIX.
        endpoint: address of the service; by default the environment's, else Amazon's.
        path_style: whether its URLs have the bucket in the path, not in the host's name.
    """
    name, _, prefix = url.removeprefix("s3://").partition("/")
    config: S3Config = {"virtual_hosted_style_request": not path_style}
    options: ClientConfig = {"timeout": _LONGEST, "read_timeout": _SILENCE}
    if endpoint is not None:
        config["endpoint"] = endpoint
        options["allow_http"] = endpoint.startswith("http://")
    return S3Store(
        name, prefix=prefix or None, config=config, client_options=options, retry_config=_RETRIES
    )
