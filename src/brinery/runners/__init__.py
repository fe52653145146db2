"""Programs of the user's own, run beside us: in a process group, with a time limit and a log.

Knows processes. Must not know models, loops, or where anything is kept.
"""
