"""The model: a frozen base with an adapter, rows that share their prefix, scoring and generation. Importing this is light."""
