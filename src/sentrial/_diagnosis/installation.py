"""The files of this package, and the older distribution ``sentrial``, which owns the same import name.

pip lets two distributions overwrite each other's files, and uninstalling one takes the shared ones away. So this is
looked at first, and with the standard library alone: where files of ours are gone, little else of us can be imported.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, PackagePath, distribution
from pathlib import Path
from typing import Any

from sentrial._diagnosis.finding import Finding, problem

OURS = "sentrial-otel"
OLDER = "sentrial"
_PACKAGE = "sentrial"
_SHOWN = 5

_BOTH = f'pip uninstall -y {OLDER} {OURS} && pip install "{OURS}[all]"'


@dataclass(frozen=True, slots=True)
class Installation:
    """What is installed under the import name ``sentrial``.

    Attributes:
        version: of this distribution; ``None`` where it runs from a folder that pip knows nothing of.
        older: the version of the older distribution; ``None`` where it is not installed.
        overwritten: files of ours that hold something else than what was installed.
        missing: files of ours that are gone.
        shared: how many files both distributions lay claim to.
    """

    version: str | None
    older: str | None
    overwritten: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    shared: int = 0

    @property
    def is_damaged(self) -> bool:
        """Whether files of ours are not what they were when they were installed."""
        return bool(self.overwritten or self.missing)

    def to_json(self) -> dict[str, Any]:
        """As it stands in the doctor's document."""
        return {
            "version": self.version,
            "older_sentrial": self.older,
            "overwritten_files": list(self.overwritten),
            "missing_files": list(self.missing),
            "shared_files": self.shared,
        }


def read_installation() -> Installation:
    """Look at both distributions, and at the hash of each file of ours that pip has noted down."""
    ours, older = _distribution(OURS), _distribution(OLDER)
    files = _files_of(ours)
    overwritten, missing = [], []
    for path, file in files.items():
        if not path.is_file():
            missing.append(str(file))
        elif not _is_as_installed(path, file):
            overwritten.append(str(file))
    return Installation(
        version=None if ours is None else ours.version,
        older=None if older is None else older.version,
        overwritten=tuple(sorted(overwritten)),
        missing=tuple(sorted(missing)),
        shared=len(files.keys() & _files_of(older).keys()),
    )


def findings_of(installation: Installation) -> list[Finding]:
    """What is wrong with it."""
    older, overwritten, missing = installation.older, installation.overwritten, installation.missing
    harm = " and ".join(
        f"{_listed(files)} {verb}" for files, verb in ((overwritten, "overwritten"), (missing, "missing")) if files
    )
    if older is not None:
        words = f"the older SDK (distribution {OLDER} {older}) is installed beside {OURS}, under the same import name"
        if harm:
            words += f"; of our files, {harm}"
        elif installation.shared:
            words += f"; {installation.shared} files belong to both, and hold our code now"
        return [problem("older-sentrial", words, f"Uninstall both, then install one: {_BOTH}")]
    if harm:
        return [
            problem(
                "files-damaged",
                f"the installed files of {OURS} are not what was installed: {harm}",
                f"Uninstalling the older distribution {OLDER} does that; install ours anew: "
                f"pip install --force-reinstall --no-deps {OURS}",
            )
        ]
    return []


def _listed(files: tuple[str, ...]) -> str:
    names = ", ".join(files[:_SHOWN]) + (", ..." if len(files) > _SHOWN else "")
    return f"{len(files)} ({names})" + (" is" if len(files) == 1 else " are")


def _distribution(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def _files_of(found: Distribution | None) -> dict[Path, PackagePath]:
    """The files of the package itself; none for an editable installation."""
    files = found.files if found is not None else None
    return {
        Path(str(file.locate())): file for file in files or () if file.parts[0] == _PACKAGE and file.suffix != ".pyc"
    }


def _is_as_installed(path: Path, file: PackagePath) -> bool:
    noted = file.hash
    if noted is None or noted.mode not in hashlib.algorithms_available:
        return True
    digest = hashlib.new(noted.mode, path.read_bytes()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == noted.value
