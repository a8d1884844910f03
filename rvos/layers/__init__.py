"""Paper-agnostic building blocks."""
