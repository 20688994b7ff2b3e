import json

import pytest

from vldeformer.errors import InputError
from vldeformer.report.speed import read_speed


def test_reads_it_and_lets_other_keys_pass(speed_path):
    value = json.loads(speed_path.read_text())
    speed_path.write_text(json.dumps(value | {"more": 1}))
    assert read_speed(speed_path).gallery_curve[-1].n_images == 1_000_000


def test_bad_files_are_named(speed_path, tmp_path):
    value = json.loads(speed_path.read_text())
    speed_path.write_text(json.dumps({name: value[name] for name in value if name != "pair_ms"}))
    with pytest.raises(InputError, match=r"speed\.json: key 'pair_ms': Field required"):
        read_speed(speed_path)
    speed_path.write_text('{"pair_ms": 1')
    with pytest.raises(InputError, match=r"speed\.json: expected JSON"):
        read_speed(speed_path)
    with pytest.raises(InputError, match="none"):
        read_speed(tmp_path / "no.json")
