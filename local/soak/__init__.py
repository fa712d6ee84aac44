"""A soak: minutes of mixed load on the whole local system, while tasks come and go and processes are killed."""
