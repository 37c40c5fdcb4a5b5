"""The database: engine, units of work, encrypted column types, migrations' entry."""
