"""The queue: accept, claim, finish, sweep, each exactly once."""
