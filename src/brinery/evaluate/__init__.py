"""How good answers are: arrays in, one `Evaluation` out.

The room knows labels, predictions and probabilities, what each figure means, and in which words
to say why a figure is absent. It must not know where the arrays came from nor who reads the
record: it is pure, so no disk, no server, no MLflow; and it computes with numpy alone, so that a
figure means the same whatever version of scikit-learn is installed.
"""
