"""The logs that ``streams.ports.EventLog`` is implemented on."""
