"""Layouts beside every sort order that one or two columns give: workloads over three sets of data, and one that drifts."""
