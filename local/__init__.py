"""Runs the system on one machine, with no AWS account and no Docker."""
