"""MRML nodes <-> the nouns of the library: volumes, sequences, point lists, pair lists, transforms."""
