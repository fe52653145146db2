"""Records become figures, tables and words; nothing is computed, and no file is read or written.

A figure is Plotly's JSON as a record; a report is a page with Plotly's script inside. The room must
not know a model, a registry or a disk.
"""
