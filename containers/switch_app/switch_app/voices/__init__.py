"""Voices: which there are, which one a text is spoken with, and speech made of text."""
