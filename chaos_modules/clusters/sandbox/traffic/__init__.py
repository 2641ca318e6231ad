"""The process behind all servers and flows of a sandbox; standard library only, so that it starts at once."""
