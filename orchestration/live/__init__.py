"""The live path: one process that stays warm and carries each micro-batch to its scores."""
