"""What a run leaves to look at: CSV for everybody, TensorBoard for those who watch."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter


class Log:
    """`training.csv`, `validation.csv` and TensorBoard events in one folder.

    Args:
        folder: of the run.
        step: of the checkpoint that the run goes on from. Rows beyond it were written by the steps that a
            kill undid; they are dropped.
    """

    def __init__(self, folder: Path, step: int) -> None:
        self.folder = folder
        for path in folder.glob("*.csv"):
            _drop_rows_beyond(path, step)
        self.board = SummaryWriter(str(folder), purge_step=step + 1 if step else None)

    def write(self, name: str, step: int, seconds: float, values: Mapping[str, float]) -> None:
        """One row of `NAME.csv`, and one TensorBoard scalar a value."""
        path = self.folder / f"{name}.csv"
        fresh = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            if fresh:
                rows.writerow(["step", "seconds", *values])
            rows.writerow([step, f"{seconds:.1f}", *(f"{value:.6g}" for value in values.values())])
        for key, value in values.items():
            self.board.add_scalar(f"{name}/{key}", value, step)

    def close(self) -> None:
        self.board.close()


def _drop_rows_beyond(path: Path, step: int) -> None:
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = list(csv.reader(file)) or [[]]
    partial = path.with_name(path.name + ".part")
    with partial.open("w", newline="", encoding="utf-8") as file:
        kept = [row for row in rows if len(row) == len(header) and int(row[0]) <= step]
        csv.writer(file).writerows([header, *kept])
    partial.replace(path)
