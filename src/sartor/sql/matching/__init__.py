"""Whether a block can be computed from a view, and how: one rule a file.

After Goldstein and Larson, Optimizing queries using materialized views (SIGMOD 2001).
"""
