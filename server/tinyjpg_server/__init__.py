"""The TinyJPG service: the REST API, its accounts and its queue, around the `tinyjpg` engine."""
