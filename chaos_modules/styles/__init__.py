"""One dialect of scenario files each, translated into requests that are free of it."""
