"""What both functions share: settings, telemetry, problem documents, adapters to Postgres and Redis."""
