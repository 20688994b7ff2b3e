"""What another program gets: the ids and vectors of an index, and the same neighbours."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from vldeformer.errors import InputError
from vldeformer.search.export import export_lance, export_parquet
from vldeformer.search.index import SearchIndex


@pytest.fixture
def opened(index):
    return SearchIndex.open(index)


def test_parquet_holds_ids_paths_vectors_and_the_model(opened, tmp_path):
    assert export_parquet(opened, tmp_path / "all.parquet") == 13
    table = pq.read_table(tmp_path / "all.parquet")
    expected = {name: own for ids, part in opened.parts() for name, own in zip(ids, part, strict=True)}
    assert table.column("id").to_pylist() == list(expected)
    np.testing.assert_array_equal(np.array(table.column("vector").to_pylist(), np.float32), np.stack(list(expected.values())))
    assert table.column("path").to_pylist() == [str(opened.path(name)) for name in expected]
    assert table.schema.metadata[b"model_sha256"].decode() == opened.description.model_sha256
    with pytest.raises(InputError, match="got a folder"):
        export_parquet(opened, tmp_path)


def test_lancedb_finds_the_same_neighbours(opened, tmp_path):
    lancedb = pytest.importorskip("lancedb")
    assert export_lance(opened, tmp_path / "lance") == 13
    assert export_lance(opened, tmp_path / "lance") == 13, "the table is replaced"
    table = lancedb.connect(str(tmp_path / "lance")).open_table("images")
    assert table.count_rows() == 13
    for text in ("a red ring", "two blue stars"):
        hits = opened.search(text, 5)
        found = table.search(opened.encode_text(text)).distance_type("dot").limit(5).to_list()
        assert [row["id"] for row in found] == [hit.id for hit in hits]
        np.testing.assert_allclose([1 - row["_distance"] for row in found], [hit.score for hit in hits], atol=1e-5)


def test_qdrant_finds_the_same_neighbours_from_the_parquet_file(opened, tmp_path):
    qdrant = pytest.importorskip("qdrant_client")
    export_parquet(opened, tmp_path / "all.parquet")
    table = pq.read_table(tmp_path / "all.parquet")
    vectors = table.column("vector").combine_chunks().flatten().to_numpy().reshape(len(table), -1)
    client = qdrant.QdrantClient(path=str(tmp_path / "qdrant"))
    known = qdrant.models.VectorParams(size=vectors.shape[1], distance=qdrant.models.Distance.DOT)
    client.create_collection("images", known)
    client.upload_collection("images", vectors, payload=table.select(["id", "path"]).to_pylist())
    for text in ("a red ring", "two blue stars"):
        hits = opened.search(text, 5)
        found = client.query_points("images", opened.encode_text(text).tolist(), limit=5).points
        assert [point.payload["id"] for point in found] == [hit.id for hit in hits]
        assert [point.payload["path"] for point in found] == [str(hit.path) for hit in hits]
        np.testing.assert_allclose([point.score for point in found], [hit.score for hit in hits], atol=1e-5)
    client.close()
