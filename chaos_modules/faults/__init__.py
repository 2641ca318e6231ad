"""One file per fault: its own tunables, typed and described, and what they do to packets."""
