"""What programs and pages ask of a workspace over HTTP, beside predictions.

It is a front door: it reads what is asked, calls an action, and writes what it returned. It runs in
a process beside the server (`python -m brinery.web`), with MLflow's own application, whose paths
are the others.
"""
