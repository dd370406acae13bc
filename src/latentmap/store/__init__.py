"""Files: how every stage reads and writes them, and what each contract guarantees."""
