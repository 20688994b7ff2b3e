"""A published checkpoint and its word pieces leave records: the chain of what starts from them ends in the checkpoint."""

from vinvl_files import write_checkpoint

from vldeformer.artifact import read_json
from vldeformer.cli import main
from vldeformer.content_digest import digest
from vldeformer.report.lineage import follow, in_order


def test_the_chain_of_imported_word_pieces_ends_in_the_checkpoint(tmp_path):
    checkpoint, base = write_checkpoint(tmp_path / "raw" / "vinvl-base"), tmp_path / "artifacts" / "base"
    model, tokenizer = base / "pretrain" / "model", base / "vocabulary" / "tokenizer.json"
    assert main(["import-weights", str(checkpoint), "--out", str(model)]) == 0
    before = digest(model)
    assert main(["import-vocabulary", str(model), "--out", str(tokenizer)]) == 0
    assert tokenizer.read_bytes() == (model / "tokenizer.json").read_bytes()
    links = list(in_order(follow(tokenizer)))
    assert [link.path for link in links] == [checkpoint, model / "tokenizer.json", tokenizer]
    assert links[0].recorded == digest(checkpoint) and links[0].record is None and links[1].record and links[2].record
    record = read_json(model / "provenance.json")
    assert record["settings"] == {"checkpoint": str(checkpoint), "pooling": None}
    assert main(["import-weights", str(checkpoint), "--out", str(model)]) == 0, "again, in its place"
    assert digest(model) == before


def test_word_pieces_of_a_folder_that_has_none(tmp_path, capsys):
    assert main(["import-vocabulary", str(tmp_path), "--out", str(tmp_path / "made" / "tokenizer.json")]) == 2
    assert capsys.readouterr().err == f"vldeformer: {tmp_path}/tokenizer.json: expected a tokenizer.json, found none\n"
    assert not (tmp_path / "made").exists()
