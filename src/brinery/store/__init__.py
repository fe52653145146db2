"""Our own state on disk: the workspace, tables of data, and the audit trail.

The only room that knows SQLAlchemy, and the only one that reads and writes data files. It knows
nothing of models.
"""
