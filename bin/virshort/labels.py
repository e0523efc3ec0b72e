"""The two labels, in the order of their codes."""

LABELS = ("nonviral", "viral")
"""A label's code is its place here: 0 for nonviral, 1 for viral. Score and log-odds rise towards viral."""
