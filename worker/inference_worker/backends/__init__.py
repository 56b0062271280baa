"""Model backends: one module a library, the only one to import it, with `load(content, metadata)`."""
