"""How much may be hit at once: pure rules over a request and its targets."""
