"""The one file format of calibrations: of `auto` (a ladder) and of any other strategy (a calibrator with thresholds)."""

from __future__ import annotations

from pathlib import Path

from nosce.core.errors import InputError
from nosce.evidence.calibration import Calibration
from nosce.evidence.policy import Policy
from nosce.monitor.calibrator_file import read_record

Kept = Policy | Calibration


def read_calibration(path: Path) -> Kept:
    """What `nosce calibrate` or `nosce serve calibrate` wrote. Raises InputError naming the file and what is wrong with it."""
    try:
        record = read_record(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; `nosce calibrate` or `nosce serve calibrate` writes one") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    return Policy.read(path) if "ladder" in record else Calibration.read(path)


def named(spec: str) -> tuple[str, str]:
    """(the model's own name, how questions are put to it) of a spec: `openai:m@http://…#as-asked` is m, as-asked."""
    if not spec.startswith("openai:"):
        return spec, "socrates" if spec.startswith("socrates") else ""
    name, _, address = spec.removeprefix("openai:").partition("@")
    return name, address.partition("#")[2] or "chat"
