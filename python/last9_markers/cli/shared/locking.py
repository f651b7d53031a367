"""A lock between processes: a file beside the protected one. It ends with its process, also if that is killed."""

from __future__ import annotations

import errno
import os
import time
from types import TracebackType

from last9_markers.core import safe_files

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

#: The holder of the lock reads and writes one small file: if that takes longer, the machine has a problem. A stop without the file is a
#: point without its window, so it is worth some seconds.
PATIENCE_SECONDS = 5.0
_PAUSE_SECONDS = 0.02
#: A file system that knows no locks (some NFS mounts): better without than no memory at all.
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)


class Lock:
    """Takes the lock when made. Raises ``TimeoutError`` if another process holds it, ``OSError`` if the file cannot be created."""

    def __init__(self, path: str, patience_seconds: float) -> None:
        self._descriptor = safe_files.descriptor(path, flags=os.O_RDWR | os.O_CREAT)
        try:
            until = time.monotonic() + patience_seconds
            while not self._take():
                if time.monotonic() > until:
                    raise TimeoutError(path)
                time.sleep(_PAUSE_SECONDS)
        except BaseException:
            os.close(self._descriptor)
            raise

    def __enter__(self) -> Lock:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.close(self._descriptor)

    def _take(self) -> bool:
        try:
            if fcntl is not None:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            else:
                import msvcrt

                msvcrt.locking(self._descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EACCES):
                return False
            if error.errno not in _NO_LOCKS:
                raise
        return True
