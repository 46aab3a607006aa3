"""The workbench in a browser: a second thin view, on `slicer-core`, and the only room that imports trame."""
