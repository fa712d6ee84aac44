"""A page that shows the running system, live: what an operator may read, and nothing else.

Readers turn what they read into rows (`rows.py`), whose fields are all that ever leaves this process; the model keeps
rows and says what changed; the feed carries that to browsers.
"""
