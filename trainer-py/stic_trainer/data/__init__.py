"""Images, rows, orders and seeds; and the import that judges a user's files."""
