"""A declared job made a plan: steps, what feeds them, what they leave. Nothing is run here."""
