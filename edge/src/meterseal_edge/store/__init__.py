"""Station 8: where statements become durable. Read in this order: contract, schema, migration, sqlite."""
