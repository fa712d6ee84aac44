"""Audio at URLs, brought to the disk."""
