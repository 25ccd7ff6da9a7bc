"""The API reference as a page: endpoints from the OpenAPI document, examples from files."""
