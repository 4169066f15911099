"""The rules of the house (docs/contributing/architecture.md) as functions: source in, complaints out."""
