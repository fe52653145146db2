"""Registered versions behind HTTP.

`manifest` says what is served, `models` which version answers under which path, `served` is one of
them: `negotiation` agrees on a form, its readers (`rows`, `invocations`, …) turn bodies into
batches or into problems, and `answerer` gives the scores, by the scorer here or by `holder`, which
keeps the model's process. `scoring` is the path of a prediction, dispatched before the router;
`app` is everything else; `server` runs it under Granian. This room knows no registry and reads no
settings: it is given both in a record.
"""
