"""One suite: its statements, and the expert's sorted copies and summary tables for it."""
