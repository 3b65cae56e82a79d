"""One suite: its data, its statements and the expert design that was searched for it."""
