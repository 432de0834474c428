"""A checkpoint as a plain Hugging Face folder: merged, checked against the adapter, described. Loads no torch before it is asked to."""
