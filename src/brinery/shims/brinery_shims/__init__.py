"""What `dataiku` and `dataikuapi` of Brinery stand on, in the process of a user's script.

The Python that runs it may be 3.8 and have nothing of ours, so that only the standard library is
imported here; pandas and MLflow are the script's own, and are imported when it asks for what needs
them. What a script asks about is asked of the gateway, which answers in a Python of Brinery's.
"""
