"""What a record of a stage says, in words. What an older record lacks is said to be not recorded."""

from collections.abc import Mapping
from typing import Any

from vldeformer.report.lineage import Record


def code_in_words(code: Mapping[str, Any]) -> str:
    """Version, commit, whether the tree was dirty, and the digest of the sources, as far as they are known."""
    if not code:
        return "code not recorded"
    words = f"code {code.get('version') or 'of no version'}"
    words += f" at {code['commit'][:12]}" if code.get("commit") else ", commit not recorded"
    words += {True: " with uncommitted changes", False: " (clean)", None: ""}[code.get("dirty")]
    return words + (f", sources {code['sha256'][:12]}" if code.get("sha256") else "")


def time_in_words(record: Record) -> str:
    """How long a stage took and when it was done."""
    return f"{record['wall_seconds']} s, finished {record['finished']}" if record["finished"] else "time not recorded"


def packages_in_words(record: Record) -> str:
    """Python and packages with their versions."""
    packages = ", ".join(f"{name} {version}" for name, version in sorted((record["packages"] or {}).items()) if version)
    return f"Python {record['python'] or 'not recorded'}, packages {packages or 'not recorded'}"


def machine_in_words(machine: Mapping[str, Any]) -> str:
    """Processor, cores, memory, GPUs and system."""
    memory = f"{machine['memory_mib']:,} MiB" if machine.get("memory_mib") else "memory not recorded"
    gpus = ", ".join(machine["gpus"]) or "no GPU" if "gpus" in machine else "GPU not recorded"
    cores = f"{machine['cores']} cores" if machine.get("cores") else "cores not recorded"
    return f"{machine.get('processor') or 'CPU not recorded'}, {cores}, {memory}, {gpus}, {machine.get('system') or ''}"
