"""A registered version becomes a package for some platform, and proves itself there.

Each target renders `Contents → {path: bytes}`, a pure function; `composing` adds what every package
has, and one writer places it, the same bytes for the same version. `runtime` is the code that
travels. This room reads Brinery's own sources, writes packages and runs them; it knows nothing of
the registry, nor of how environments are made.
"""
