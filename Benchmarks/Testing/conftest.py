"""What the tests of the benchmarks may ask for: the same as those of the library."""

from conftest import dots, dots_folder, real_data, root

__all__ = ["dots", "dots_folder", "real_data", "root"]
