"""One workflow per kind of event. Each takes its collaborators as arguments and talks to nothing itself."""
