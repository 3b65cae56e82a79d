"""The report: one page with pictures, for people who would rather look than read."""
