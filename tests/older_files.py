"""Files as versions before digests wrote them, which are read without a comparison."""

import json

from vldeformer.evaluation.query_table import TABLE
from vldeformer.stored_digests import DIGESTS, REST


def forget(path):
    """Take the digests out of a folder, or out of a JSON file; what is changed in them afterwards is read as it is."""
    if path.is_dir():
        for digests in path.rglob(DIGESTS):
            digests.unlink()
        return path
    value = json.loads(path.read_text())
    path.write_text(json.dumps({name: item for name, item in value.items() if name not in (REST, TABLE)}))
    return path
