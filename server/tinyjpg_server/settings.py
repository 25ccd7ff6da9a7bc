"""Every setting of the service: environment variables and one file, validated at start."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.sources import TomlConfigSettingsSource

from tinyjpg.pool import usable_cores
from tinyjpg_server.errors import SettingsError

PREFIX: Final = "TINYJPG_"
MEBIBYTE: Final = 1024 * 1024
# Amazon's rules for names of buckets; below it, names that objects may have.
_BUCKET: Final = re.compile(
    r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9][A-Za-z0-9_.-]*)*/?"
)
_CONTACT: Final = re.compile(r"""https?://[^\s<>"']+|[^\s<>"':/?]+@[^\s<>"':/?]+""")


class Settings(BaseSettings):
    """What an operator may set, as `TINYJPG_<NAME>` or `<name> = ...` in the settings file.

    An argument given in code (a command-line flag) wins over the environment, the environment
    over the file (`TINYJPG_CONFIG`, else `tinyjpg.toml` in the current folder if it is there).
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    data: Path = Field(Path("data"), description="Folder of the database and the image files.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on.")
    public_url: str | None = Field(
        None, description="What URLs in answers begin with. Default: http://HOST:PORT."
    )
    database_url: SecretStr | None = Field(
        None, description="postgresql://... Default: SQLite in the data folder."
    )
    storage_url: str | None = Field(
        None, description="s3://BUCKET/PREFIX for the image files. Default: the data folder."
    )
    storage_endpoint: str | None = Field(
        None, description="http(s) address of a store that speaks as S3 does. Default: Amazon's."
    )
    storage_path_style: bool = Field(
        True, description="The bucket stands in the path of S3 URLs; False: in the host's name."
    )
    redis_url: SecretStr | None = Field(
        None, description="Rate limits shared by several web processes. Default: in memory."
    )
    workers: int = Field(
        default_factory=usable_cores, ge=0, le=256, description="Images worked on at a time."
    )
    web_processes: int = Field(1, ge=1, le=64, description="Processes that answer requests.")
    worker_memory: int = Field(
        4096, ge=256, description="Mebibytes that the work on one image may allocate."
    )
    image_deadline: float = Field(
        120.0, gt=0, description="Seconds after which the best result so far is taken."
    )
    image_timeout: float = Field(
        240.0, gt=0, description="Seconds after which the work on an image is killed."
    )
    max_pixels: int = Field(
        150_000_000, ge=1, description="Largest width x height x frames accepted."
    )
    upload_timeout: float = Field(
        60.0, gt=0, description="Seconds that sending one upload may take in all."
    )
    lease: float = Field(
        30.0, ge=1, description="Seconds after which the image of a silent worker is given on."
    )
    attempts: int = Field(3, ge=1, description="Tries before an image fails for good.")
    queue_limit: int = Field(
        10_000, ge=1, description="Images waiting; above it uploads are answered 503."
    )
    disk_floor: int = Field(
        512, ge=0, description="Mebibytes to keep free on disk; below it uploads are answered 503."
    )
    retention_days: float = Field(7.0, gt=0, description="Days after which files are deleted.")
    longest_wait: float = Field(
        60.0, ge=0, description="Most seconds that `wait` may hold a request."
    )
    operator_contact: str | None = Field(
        None, description="E-mail address or URL where users ask for another plan."
    )
    visitor_images: int = Field(
        20, ge=0, description="Images a day that an address may have optimized without an account."
    )
    trust_proxy: bool = Field(
        False, description="Take the client's address from X-Forwarded-For (behind a proxy only)."
    )
    sign_up: bool = Field(True, description="Whether anybody may make an account at /sign-up.")
    metrics_token: SecretStr | None = Field(
        None, description="When set, /metrics wants it: Authorization: Bearer TOKEN."
    )
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$")

    @field_validator("public_url", "storage_endpoint")
    @classmethod
    def _no_trailing_slash(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("give a URL that begins with http:// or https://")
        return value.rstrip("/") if value else None

    @field_validator("operator_contact")
    @classmethod
    def _address_or_url(cls, value: str | None) -> str | None:
        # It becomes a link, so that nothing else may be in it.
        if value and not _CONTACT.fullmatch(value):
            raise ValueError("give an e-mail address or a URL that begins with http(s)://")
        return value or None

    @field_validator("storage_url")
    @classmethod
    def _bucket(cls, value: str | None) -> str | None:
        if value is not None and not _BUCKET.fullmatch(value):
            raise ValueError("give a bucket and, if you like, a prefix: s3://images/originals")
        return value.rstrip("/") if value else None

    @field_validator("data")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic passes it
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then the file."""
        return (
            init_settings,
            env_settings,
            TomlConfigSettingsSource(settings_cls, _settings_file()),
        )

    @property
    def base_url(self) -> str:
        """What absolute URLs in answers begin with, no slash at the end."""
        return self.public_url or f"http://{self.host}:{self.port}"

    @property
    def is_https(self) -> bool:
        """Whether people come by TLS; a proxy in front of the service ends it."""
        return self.base_url.startswith("https://")

    @property
    def database(self) -> str:
        """The SQLAlchemy URL, with the asynchronous driver in it."""
        if self.database_url is None:
            return f"sqlite+aiosqlite:///{self.data / 'tinyjpg.sqlite3'}"
        url = self.database_url.get_secret_value()
        for scheme in ("postgresql://", "postgres://"):
            if url.startswith(scheme):
                return "postgresql+asyncpg://" + url.removeprefix(scheme)
        return url

    def environment(self) -> dict[str, str]:
        """These settings as environment variables, for the processes of the service."""
        return {PREFIX + name.upper(): _as_text(value) for name, value in self if value is not None}


def load_settings(**flags: Any) -> Settings:
    """The settings in force; `flags` that are not None win over all else.

    Raises:
        SettingsError: the file or a value is wrong; the message names each.
    """
    given: Mapping[str, Any] = {name: value for name, value in flags.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsError(_explain(error)) from error
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(
            f"the settings file {_settings_file()} cannot be read: {error}"
        ) from error


def _settings_file() -> Path | None:
    named = os.environ.get(PREFIX + "CONFIG")
    if named:
        if not Path(named).is_file():
            raise SettingsError(f"{PREFIX}CONFIG names {named}, which is not a file")
        return Path(named)
    default = Path("tinyjpg.toml")
    return default if default.is_file() else None


def _as_text(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _explain(error: ValidationError) -> str:
    lines = []
    for fault in error.errors(include_url=False, include_input=False):
        name = ".".join(str(part) for part in fault["loc"]) or "settings"
        lines.append(f"  {PREFIX}{name.upper()} (or `{name}` in the file): {fault['msg']}")
    return "the settings are wrong:\n" + "\n".join(lines)
