"""What an action of the workbench cannot do is said in words, in one place, for every front end."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.scene.i18n import _


def reported(action: Callable[..., Any]) -> Callable[..., Any]:
    """An action of a section: what it cannot do becomes the workbench's problem; views hear of any change."""

    @functools.wraps(action)
    def run(section: Any, *args: Any, **kwargs: Any) -> Any:
        bench = section.bench
        bench.problem = bench.report = ""
        try:
            return action(section, *args, **kwargs)
        except InputError as error:
            bench.problem = str(error)
            return None
        except OSError as error:
            bench.problem = _("{file}: {reason}; choose another folder or file").format(
                file=error.filename, reason=error.strerror
            )
            return None
        finally:
            bench.notify()

    return run
