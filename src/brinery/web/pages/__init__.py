"""The pages of `brinery up`: each a URL that is its whole state, rendered from what actions say.

A module per noun gives its routes; `site` puts them together, `frame` renders.
"""
