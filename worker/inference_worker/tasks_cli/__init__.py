"""The command line for people: `python -m inference_worker.tasks_cli list|show|requeue|cancel`."""
