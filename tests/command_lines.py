"""Command lines that together use every command and every option, each choice and every number of values.

A program wrote them from the argparse parser that the command line had until 2026-11: what parsed then still parses. Lines of
new commands and options are added by hand, as the last five were.
"""

import shlex

LINES = r"""
fetch scenes
fetch scenes --settings a/path --out a/path
fetch coco
fetch coco --out a/folder --only annotations --accept-terms
fetch coco --only images
fetch flickr30k
fetch flickr30k --out a/folder --only annotations --accept-terms
fetch flickr8k
fetch flickr8k --out a/folder --only annotations --accept-terms
fetch flickr8k --only images
import-features a/download_dir --out a/path
import-features a/download_dir --out a/path --dtype float16
import-features a/download_dir --out a/path --dtype float32
import-captions a/captions_pt --keys a/path --out a/path --split train
import-captions a/captions_pt --keys a/path --out a/path --split val
import-captions a/captions_pt --keys a/path --out a/path --split test
join-features a/store a/store --out a/path
import-weights a/checkpoint_dir --out a/model
import-weights a/checkpoint_dir --out a/model --pooling cls
import-weights a/checkpoint_dir --out a/model --pooling sep
import-weights a/checkpoint_dir --out a/model --pooling mean
import-weights a/checkpoint_dir --out a/model --pooling mean_all
import-weights a/checkpoint_dir --out a/model --pooling mean_max
import-vocabulary a/model --out a/path
publish a/model --out a/model
publish a/model --hub user/name
publish a/model --results a/path --experiment name --private --out a/model
publish a/model --results a/path --experiment name --private --hub user/name
prepare --settings a/path --raw-dir a/path --out a/path
features --settings a/path --raw-dir a/path --prepared a/path --out a/path
vocabulary --settings a/path --manifest a/path --out a/path
vocabulary --settings a/path --manifest a/path --out a/path --features a/path
pretrain --settings a/path --manifest a/path --features a/path --tokenizer a/path --out a/path
negatives --settings a/path --manifest a/path --features a/path --out a/path
negatives --settings a/path --manifest a/path --features a/path --out a/path --embeddings a/path
train --settings a/path --manifest a/path --features a/path --tokenizer a/path --out a/path
train --settings a/path --manifest a/path --features a/path --tokenizer a/path --out a/path --start a/path --negatives a/path \
  --teacher a/path --control a/path
speed --settings a/path --joint a/path --dual a/path --manifest a/path --features a/path --out a/path
pair-time --settings a/path --model a/path --manifest a/path --features a/path --out a/path
embed --model a/path --manifest a/path --features a/path --out a/path
embed --model a/path --manifest a/path --features a/path --out a/path --split name --settings a/path --shard 3/8
gather a/shard a/shard --out a/path
score --model a/path --manifest a/path --features a/path --out a/path
score --model a/path --manifest a/path --features a/path --out a/path --split name --settings a/path --all
score-oracle --raw-dir a/path --manifest a/path --out a/path
score-oracle --raw-dir a/path --manifest a/path --out a/path --split name
score-lexical --settings a/path --manifest a/path --features a/path --out a/path
score-lexical --settings a/path --manifest a/path --features a/path --out a/path --split name
rerank --settings a/path --embeddings a/path --joint a/path --manifest a/path --features a/path --out a/path
rerank --settings a/path --embeddings a/path --joint a/path --manifest a/path --features a/path --out a/path --split name \
  --all --dataset name --experiment name
evaluate --protocol coco-1k-fixed --out a/path --embeddings a/path
evaluate --protocol coco-1k-fixed --out a/path --scores a/path
evaluate --protocol coco-1k-fixed --out a/path --images a/path
evaluate --captions a/path --caption-image-index a/path --image-ids a/path --caption-ids a/path --protocol coco-1k-fixed \
  --keys a/path --part name --settings a/path --dataset name --experiment name --out a/path --embeddings a/path
evaluate --captions a/path --caption-image-index a/path --image-ids a/path --caption-ids a/path --protocol coco-1k-fixed \
  --keys a/path --part name --settings a/path --dataset name --experiment name --out a/path --scores a/path
evaluate --captions a/path --caption-image-index a/path --image-ids a/path --caption-ids a/path --protocol coco-1k-fixed \
  --keys a/path --part name --settings a/path --dataset name --experiment name --out a/path --images a/path
journal a/journal --to tensorboard --out a/path
journal a/journal --out a/path --to dvclive
compositional-items --settings a/path --raw-dir a/path --out a/path
compositional-items --settings a/path --raw-dir a/path --out a/path --split name
compositional --model a/path --items a/path --manifest a/path --features a/path --out a/path
compositional --model a/path --items a/path --manifest a/path --features a/path --split name --settings a/path --dataset name \
  --experiment name --out a/path
record --settings a/path --out a/path --results a/path an/other
record --settings a/path --out a/path --results a/path --compositional a/path --pair-time a/path --model a/path
report --settings a/path --speed a/path --out a/path --results a/path an/other
report --settings a/path --speed a/path --out a/path --results a/path an/other --compositional a/path an/other --published \
  a/path --journals one=a/path two=b/path --rerank a/path
report --settings a/path --speed a/path --out a/path --results a/path an/other --compositional
report --settings a/path --speed a/path --out a/path --results a/path an/other --journals
ablations --settings a/path --speed a/path --out a/path --results a/path an/other
ablations --settings a/path --speed a/path --out a/path --results a/path an/other --compositional a/path an/other --pair-times \
  one=a/path two=b/path
ablations --settings a/path --speed a/path --out a/path --results a/path an/other --compositional
ablations --settings a/path --speed a/path --out a/path --results a/path an/other --pair-times
claims --results a/path an/other --out a/path
verify a/path a/other/path
provenance a/artifact
provenance a/artifact a/other --row 'a red ring' 'a red ring' --column name --config a/path --json
doctor
doctor --configfile a/path
page --settings a/path --results a/path --manifest a/path --features a/path --out a/path
page --settings a/path --results a/path --manifest a/path --features a/path --out a/path --ablations a/path --judged \
  one=a/path two=b/path --journals one=a/path two=b/path --negatives a/path --pictures a/path
page --settings a/path --results a/path --manifest a/path --features a/path --out a/path --judged
page --settings a/path --results a/path --manifest a/path --features a/path --out a/path --journals
index --model a/path --images a/path --out a/path
index --model a/path --images a/path --out a/path --structure auto --prune --device cpu
index --model a/path --images a/path --out a/path --structure flat
index --model a/path --images a/path --out a/path --structure pq4
index --model a/path --images a/path --out a/path --structure sq8
index --model a/path --images a/path --out a/path --structure hnsw
index --model a/path --images a/path --out a/path --structure ivfpq
index --model a/path --images a/path --out a/path --device cuda
search a/index 'a red ring'
search a/index --image a.jpg
search a/index --queries a.jpg
search a/index 'a red ring' -k 20 --rerank 20 --joint a/path --model a/path --format table --out a.jpg
search a/index -k 20 --rerank 20 --joint a/path --model a/path --format table --out a.jpg --image a.jpg
search a/index -k 20 --rerank 20 --joint a/path --model a/path --format table --out a.jpg --queries a.jpg
search a/index 'a red ring' --format jsonl
search a/index 'a red ring' --format sheet
index-remove a/index a/id a/id
index-export a/index --out a/path
index-export a/index --out a/path --to parquet
index-export a/index --out a/path --to lancedb
serve a/index
serve a/index --host 127.0.0.1 --port 20 --joint a/path --rerank 20 --model a/path --example 'a red ring' --example circles
search a/index -k 2 'a red ring'
search a/index 'a red ring' --json
search --json a/index 'a red ring' -k 5
search a/index ring -k5 --format=jsonl --out=hits.jsonl
search a/index -- -ring
"""

COMMAND_LINES = [shlex.split(line) for line in LINES.strip().replace("\\\n", "").splitlines()]
