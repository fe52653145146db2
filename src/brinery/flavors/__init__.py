"""What can be done with a fitted model, one file per framework.

`interface` says what a flavor is; `scikit_learn` is one; `host` is the program of the child
process that holds a model; `model_process` is the handle on that process, and what every room
above uses. Nothing here keeps a file, knows a registry, or judges a model.
"""
