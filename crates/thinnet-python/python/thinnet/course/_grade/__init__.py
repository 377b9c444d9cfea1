"""Checks of a student's own functions."""
