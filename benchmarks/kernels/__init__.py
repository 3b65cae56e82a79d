"""The kernels against what a Python user has today: one run, medians, peak memory beside each time, the table says what lost."""
