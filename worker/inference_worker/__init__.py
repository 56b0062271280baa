"""The worker: claims job rows, predicts in batches, stores the results (ADR 0002, ADR 0003)."""
