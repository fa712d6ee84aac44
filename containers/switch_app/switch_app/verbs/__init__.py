"""The verbs, one a file: each is read from an element, and then acts on a call."""
