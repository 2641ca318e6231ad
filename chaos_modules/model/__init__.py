"""The vocabulary: frozen dataclasses of the standard library, without input or output."""
