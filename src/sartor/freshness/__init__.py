"""What says whether a derived object may be used: the only place that does."""
