"""The things of a project."""
