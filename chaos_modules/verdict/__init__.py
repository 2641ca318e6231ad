"""Facts → verdict → exit code. Pure: the whole policy in one place."""
