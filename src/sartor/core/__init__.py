"""Values that every layer speaks: no engine, no I/O, no threads."""
