"""Where spans go: our own road, from a span that has ended to the destinations. The only importer of the OTel SDK."""
