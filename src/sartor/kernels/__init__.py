"""Learned sort and learned index: arrays in, arrays out. Importing this imports Numba."""

from sartor.kernels.argsort import argsort
from sartor.kernels.index import Built, LearnedIndex
from sartor.kernels.recluster import recluster
from sartor.kernels.sort import sort

__all__ = ["Built", "LearnedIndex", "argsort", "recluster", "sort"]
