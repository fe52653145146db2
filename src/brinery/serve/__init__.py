"""A registered version behind HTTP.

`endpoint` says what is served; `rows` and `invocations` turn request bodies into tables or into
problems; `holder` keeps the model's process; `scoring` is the path of a prediction, dispatched
before the router; `app` is everything else; `server` runs it under Granian. This room knows no
registry and reads no settings: it is given both in a record.
"""
