"""The Iris classifier: the model that answers when a submit names none."""
