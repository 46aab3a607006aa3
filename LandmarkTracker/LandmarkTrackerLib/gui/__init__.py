"""The panel in Slicer: a thin view on the workbench, and the only room that imports Qt.

A widget's values are set and read as Qt properties by name, and signals are joined with `signal.connect(f)`:
that is the same in Slicer's Qt (PythonQt), in PySide, and in PySide with properties as attributes.
"""
