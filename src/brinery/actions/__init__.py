"""What can be done, one module per verb: the public Python API, which the command line calls.

The only place where rooms meet.
"""
