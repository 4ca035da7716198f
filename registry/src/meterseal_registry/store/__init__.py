"""Where entries become durable. Read in this order: contract, sqlite."""
