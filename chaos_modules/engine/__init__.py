"""Planning, and the one loop that executes a plan."""
