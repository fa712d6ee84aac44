"""Requests to servers that customers name: where they may go, how long and how much."""
