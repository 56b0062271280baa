"""Training scripts, one folder a model; each writes an artifact that the worker verifies before loading."""
