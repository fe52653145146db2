"""Read a pickle without running it; load it only in a child process.

`scan` walks a file with the real pickle machine in which every global is an inert stub, so that
nothing is imported and nothing is made. `child` starts the process a model lives in and talks to
it in frames; `unpickle` is the one function that loads, and it refuses outside such a child.
This room knows nothing of frameworks, of data, or of what a model is for.
"""
