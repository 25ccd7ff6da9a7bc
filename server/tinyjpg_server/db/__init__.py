"""Tables, connections and migrations, for SQLite and PostgreSQL alike."""
