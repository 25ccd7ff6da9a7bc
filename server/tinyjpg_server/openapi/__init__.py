"""The description of the API at /openapi.json: schemas, operations and the whole document."""
