"""How good answers are: arrays in, one `Evaluation` out.

The room knows labels, predictions and probabilities, what each figure means, and in which words
to say why a figure is absent. It must not know where the arrays came from nor who reads the
record: it is pure, so no disk, no server, no MLflow; and its figures are computed with numpy and
scipy's distributions, so that one means the same whatever version of scikit-learn is installed.
"""
