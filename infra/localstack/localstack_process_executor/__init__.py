"""A LocalStack plugin that runs Lambda functions as guarded OS processes (ADR 0001)."""

__version__ = "1.0.0"
