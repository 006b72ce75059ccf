"""What customers say: masked, embedded and read, each text once."""
