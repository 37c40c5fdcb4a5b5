"""Pure rules: nothing here reads, writes, or knows how anything is kept or shown."""
