"""A folder → a repository of the Hugging Face hub, whole or, in one line, why not."""

from pathlib import Path

import huggingface_hub
from huggingface_hub.errors import HfHubHTTPError, HFValidationError

from vldeformer.artifact import RECORD
from vldeformer.errors import InputError
from vldeformer.extractors.files import EXTRACTOR_FILES
from vldeformer.hub_files import first_line
from vldeformer.stored_digests import seal

SAYS = {
    401: "the hub does not know this token, or it has run out: `hf auth login`, or give another token",
    402: "the hub asks to be paid for this",
    403: "this token may not write there: give one with the role `write`, of a user or member of that organisation",
    404: "no such user or organisation, or the token may not see it",
}


def check_repo_id(repo_id: str) -> None:
    """Raises InputError if it is not USER/NAME as the hub writes it."""
    try:
        huggingface_hub.utils.validate_repo_id(repo_id)  # type: ignore[attr-defined]  # public, but not in its __all__
        owner, _, name = repo_id.partition("/")
    except (HFValidationError, AttributeError) as error:
        raise InputError(f"repo_id: expected USER/NAME of the Hugging Face hub, got {repo_id!r} ({first_line(error)})") from None
    if not owner or not name:
        raise InputError(f"repo_id: expected USER/NAME of the Hugging Face hub, got {repo_id!r}")


def writing_token(token: str | None) -> str:
    """The token that is given, or the one that is stored. Raises InputError if there is none: nothing can be written without."""
    found = token or huggingface_hub.get_token()
    if not found:
        raise InputError("no token of the Hugging Face hub: run `hf auth login`, set HF_TOKEN, or give token=")
    return found


def upload(folder: Path, repo_id: str, private: bool, token: str) -> str:
    """Make the repository if it is not there and write the folder's files into it; returns the address of the commit.

    The record of the training is removed from the folder: it names paths and the machine. A repository that is there keeps its
    visibility. Raises InputError (one line).
    """
    (folder / RECORD).unlink(missing_ok=True)
    seal(folder)  # whose list no longer names the record
    interface = huggingface_hub.HfApi(token=token)
    try:
        interface.create_repo(repo_id, private=private, exist_ok=True)
        # A detector of an older upload would be taken for this model's.
        stale = [name for name in EXTRACTOR_FILES if not (folder / name).is_file()]
        done = interface.upload_folder(
            repo_id=repo_id,
            folder_path=folder,
            delete_patterns=stale,
            commit_message="A decomposed model of vldeformer",
        )
    except HfHubHTTPError as error:
        status = getattr(error.response, "status_code", None)
        said = SAYS.get(status or 0) or first_line(error)
        raise InputError(f"{repo_id}: not written to {interface.endpoint} ({status or 'no answer'}): {said}") from None
    except Exception as error:  # whatever the HTTP client raises without a network, and what the library does not understand
        cause = f" ({first_line(error.__cause__)})" if isinstance(error.__cause__, Exception) else ""
        raise InputError(f"{repo_id}: not written to {interface.endpoint}: {first_line(error)}{cause}") from None
    return str(done.commit_url)
