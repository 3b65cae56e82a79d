"""A workload that may be given away: exported without the user's names and values, imported with generated data."""
