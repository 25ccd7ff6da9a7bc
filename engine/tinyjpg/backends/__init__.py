"""The only modules that touch outside tools: one each."""
