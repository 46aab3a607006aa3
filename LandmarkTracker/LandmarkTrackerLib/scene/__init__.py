"""Slicer's nodes and what a user does with them, without Qt: real MRML, in Slicer and in `slicer-core`.

The scene is always an argument. Here, and in `formats/`, RAS becomes LPS.
"""
