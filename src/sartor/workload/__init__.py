"""What was asked: the log, the templates in it, replay, and generators of realistic workloads."""
