"""What travels in a package: the code that reads a request, answers it, and proves itself.

These modules are copied into every package, beside the parts of Brinery that its model needs. So
they run on Python 3.9 and later, where Brinery is not installed, and import nothing but the
standard library, what those parts import, and each other.
"""
