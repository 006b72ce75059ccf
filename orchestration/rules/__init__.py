"""Rule segments: groups that people define in YAML, compiled to SQL."""
