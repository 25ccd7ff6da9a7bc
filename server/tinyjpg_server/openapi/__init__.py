"""The description of the API at /openapi.json: schemas, operations, and how they are put together."""
