"""Each kind of probe, asked once."""
