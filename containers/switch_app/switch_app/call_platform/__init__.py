"""The Somleng platform's services API, and what is told to it in order."""
