"""The push entry: an HTTP collector whose 200 means that the rows are on disk."""
