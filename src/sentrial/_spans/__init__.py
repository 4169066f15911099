"""What a span says: one writer for each kind of span, through the OpenTelemetry API only."""
