"""The read side: pages over ``streams.serving``. The wall comes with its own issue."""
