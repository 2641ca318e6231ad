"""Folds over a run's events and its result: the record, the terminal, the final table."""
