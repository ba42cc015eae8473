"""The pure core: three stages, no I/O, no clock, no random, no logging."""
