"""`tinyjpg-server admin`: users, plans, keys and files, beside a running server or without one."""

from tinyjpg_server.admin.app import app

__all__ = ["app"]
