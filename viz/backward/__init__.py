"""Backward, looked at closely: step by step, as a sum over paths, and why it did not arrive."""
