"""Calls on one machine: every program that carries them, and scenarios that place them."""
