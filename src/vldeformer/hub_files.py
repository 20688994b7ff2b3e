"""Files of the Hugging Face hub: from a local folder, from the local cache, and only then from the network."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import huggingface_hub
from huggingface_hub.errors import EntryNotFoundError, HFValidationError, LocalEntryNotFoundError

from vldeformer.errors import InputError


def hub_file(name: str, *candidates: str, like: Path | None = None) -> Path:
    """The first of some files that a local folder, the local cache or the hub has.

    ``like``: a file of the same model that was found before: this one is of its revision and lies beside it. What is in the
    cache is used as it is: published models do not change, and without a network the hub keeps one waiting.
    Raises InputError that says that no folder has that name, and, if it may be a hub id, what to download and how.
    """
    folder, expected = Path(name), f"expected {' or '.join(candidates)}"
    if folder.is_dir():
        found = [folder / candidate for candidate in candidates if (folder / candidate).is_file()]
        if not found:
            raise InputError(f"{name}: {expected}, found none")
        return found[0]
    if name.startswith((".", "/", "~")) or name.count("/") > 1:  # no hub id looks so
        raise InputError(f"{name}: no such folder or file; expected a model")
    revision = like.parent.name if like else None  # the cache keeps each revision in a folder of its name
    unreachable = False
    for only_cache in (True, False):
        for candidate in candidates:
            try:
                with quiet(huggingface_hub.utils.logging):
                    return Path(huggingface_hub.hf_hub_download(name, candidate, revision=revision, local_files_only=only_cache))
            except LocalEntryNotFoundError:
                unreachable = not only_cache
                if unreachable:
                    break
            except EntryNotFoundError:
                continue
            except HFValidationError:
                raise InputError(f"{name}: no such folder, and no hub id; one is for example dandelin/vilt-b32-mlm") from None
            except Exception as error:  # no such repository, no permission, a full disk, and whatever the HTTP client raises
                what = first_line(error)
                raise InputError(f"{name}: no such folder, and the Hugging Face hub does not give it ({what})") from None
    if unreachable:
        where = "not in the local cache, and the hub is not reached"
        how = f"if it is a hub id, then where there is a network: `hf download {name}`"
        raise InputError(f"{name}: no such folder; {expected}: {where}; {how}")
    raise InputError(f"{name}: no such folder; {expected}, the hub has none")


def hub_file_if_any(name: str, candidate: str, like: Path) -> Path | None:
    """A file that a model of the hub may have or not, of the revision of ``like``; None: it has none.

    Raises InputError if it is in no cache and the hub, which would know, is not reached.
    """
    known = huggingface_hub.try_to_load_from_cache(name, candidate, revision=like.parent.name)
    if known is not None:
        return Path(known) if isinstance(known, str) else None  # else the hub was asked before and said that it has none
    try:
        with quiet(huggingface_hub.utils.logging):
            return Path(huggingface_hub.hf_hub_download(name, candidate, revision=like.parent.name))
    except LocalEntryNotFoundError:
        unknown = f"whether it has a {candidate} is not known, as the hub is not reached"
        raise InputError(f"{name}: {unknown}; where there is a network: `hf download {name}`") from None
    except EntryNotFoundError:
        return None
    except Exception as error:  # see above
        raise InputError(f"{name}: the Hugging Face hub does not give {candidate} ({first_line(error)})") from None


def first_line(error: Exception) -> str:
    """What an error of the hub's library says, without what follows."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


@contextlib.contextmanager
def quiet(log: Any) -> Iterator[None]:
    """Nothing but errors from a library's logger: what is wrong is said in one line here."""
    level = log.get_verbosity()
    log.set_verbosity(log.CRITICAL)
    try:
        yield
    finally:
        log.set_verbosity(level)
