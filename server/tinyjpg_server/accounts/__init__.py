"""Who calls: users, their sessions and their API keys."""
