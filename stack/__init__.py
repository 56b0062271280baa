"""The launcher behind `make up`: renders, starts and checks one stack's parts, over supervisord (ADR 0005)."""
