"""The launcher behind `make up`: renders, starts and checks the parts, over supervisord (ADR 0005)."""
