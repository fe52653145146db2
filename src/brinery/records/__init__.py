"""What happened: frozen records. Only they cross rooms.

They are `msgspec.Struct`s, so that each of them is JSON without more code; none of them does
anything, and none knows where it came from or where it goes.
"""
