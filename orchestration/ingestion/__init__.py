"""From foreign files to typed rows in the lake: mappings, readers, validation, ledger."""
