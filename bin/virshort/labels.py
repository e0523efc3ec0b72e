"""The two labels, in the order of their codes."""

LABELS = ("nonviral", "viral")
"""The index of a label is its code: 0 for nonviral, 1 for viral. Scores and log-odds increase towards viral."""
