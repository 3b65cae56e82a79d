"""Learned sort and learned index: arrays in, arrays out. Importing this imports Numba.

What a column's values are like is learned from a sample (`cdf`), and sorting and searching become placing. Every result is exact,
whatever was learned; docs/kernels.md says what is guaranteed, and what was measured.
"""

from sartor.kernels.argsort import argsort
from sartor.kernels.cdf import Distribution
from sartor.kernels.index import Built, LearnedIndex
from sartor.kernels.out_of_core import recluster_dataset
from sartor.kernels.partition import Parts, partition
from sartor.kernels.recluster import recluster
from sartor.kernels.sort import sort

__all__ = ["Built", "Distribution", "LearnedIndex", "Parts", "argsort", "partition", "recluster", "recluster_dataset", "sort"]
