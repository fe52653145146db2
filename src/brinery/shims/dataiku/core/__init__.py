"""What the names of `dataiku` are: one module for each noun."""
