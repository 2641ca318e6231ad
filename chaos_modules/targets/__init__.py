"""Who is hit: a cluster snapshot and a selector to targets, pure and seeded."""
