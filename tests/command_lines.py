"""Command lines that together use every command and every option, each choice and every number of values.

Written by a program from the argparse parser that the command line had until 2026-11: what parsed then still parses. Lines of
new commands and options are added by hand.
"""

import shlex

COMMAND_LINES = [
    shlex.split(line)
    for line in """
fetch scenes
fetch scenes --settings some/path --out some/path
fetch coco
fetch coco --out some/folder --only annotations --accept-terms
fetch coco --only images
fetch flickr30k
fetch flickr30k --out some/folder --only annotations --accept-terms
fetch flickr8k
fetch flickr8k --out some/folder --only annotations --accept-terms
fetch flickr8k --only images
import-features a/download_dir --out some/path
import-features a/download_dir --out some/path --dtype float16
import-features a/download_dir --out some/path --dtype float32
import-captions a/captions_pt --keys some/path --out some/path --split train
import-captions a/captions_pt --keys some/path --out some/path --split val
import-captions a/captions_pt --keys some/path --out some/path --split test
join-features a/store a/store --out some/path
import-weights a/checkpoint_dir --out a/model
import-weights a/checkpoint_dir --out a/model --pooling cls
import-weights a/checkpoint_dir --out a/model --pooling sep
import-weights a/checkpoint_dir --out a/model --pooling mean
import-weights a/checkpoint_dir --out a/model --pooling mean_all
import-weights a/checkpoint_dir --out a/model --pooling mean_max
import-vocabulary a/model --out some/path
publish a/model --out a/model
publish a/model --hub user/name
publish a/model --results some/path --experiment name --private --out a/model
publish a/model --results some/path --experiment name --private --hub user/name
prepare --settings some/path --raw-dir some/path --out some/path
features --settings some/path --raw-dir some/path --prepared some/path --out some/path
vocabulary --settings some/path --manifest some/path --out some/path
vocabulary --settings some/path --manifest some/path --out some/path --features some/path
pretrain --settings some/path --manifest some/path --features some/path --tokenizer some/path --out some/path
negatives --settings some/path --manifest some/path --features some/path --out some/path
negatives --settings some/path --manifest some/path --features some/path --out some/path --embeddings some/path
train --settings some/path --manifest some/path --features some/path --tokenizer some/path --out some/path
train --settings some/path --manifest some/path --features some/path --tokenizer some/path --out some/path --start some/path --negatives some/path --teacher some/path
speed --settings some/path --joint some/path --dual some/path --manifest some/path --features some/path --out some/path
pair-time --settings some/path --model some/path --manifest some/path --features some/path --out some/path
embed --model some/path --manifest some/path --features some/path --out some/path
embed --model some/path --manifest some/path --features some/path --out some/path --split name --settings some/path --shard 3/8
gather a/shard a/shard --out some/path
score --model some/path --manifest some/path --features some/path --out some/path
score --model some/path --manifest some/path --features some/path --out some/path --split name --settings some/path --all
score-oracle --raw-dir some/path --manifest some/path --out some/path
score-oracle --raw-dir some/path --manifest some/path --out some/path --split name
rerank --settings some/path --embeddings some/path --joint some/path --manifest some/path --features some/path --out some/path
rerank --settings some/path --embeddings some/path --joint some/path --manifest some/path --features some/path --out some/path --split name --all --dataset name --experiment name
evaluate --protocol coco-1k-fixed --out some/path --embeddings some/path
evaluate --protocol coco-1k-fixed --out some/path --scores some/path
evaluate --protocol coco-1k-fixed --out some/path --images some/path
evaluate --captions some/path --caption-image-index some/path --image-ids some/path --caption-ids some/path --protocol coco-1k-fixed --keys some/path --part name --settings some/path --dataset name --experiment name --out some/path --embeddings some/path
evaluate --captions some/path --caption-image-index some/path --image-ids some/path --caption-ids some/path --protocol coco-1k-fixed --keys some/path --part name --settings some/path --dataset name --experiment name --out some/path --scores some/path
evaluate --captions some/path --caption-image-index some/path --image-ids some/path --caption-ids some/path --protocol coco-1k-fixed --keys some/path --part name --settings some/path --dataset name --experiment name --out some/path --images some/path
journal a/journal --to tensorboard --out some/path
journal a/journal --out some/path --to dvclive
compositional-items --settings some/path --raw-dir some/path --out some/path
compositional-items --settings some/path --raw-dir some/path --out some/path --split name
compositional --model some/path --items some/path --manifest some/path --features some/path --out some/path
compositional --model some/path --items some/path --manifest some/path --features some/path --split name --settings some/path --dataset name --experiment name --out some/path
report --settings some/path --speed some/path --out some/path --results some/path some/other
report --settings some/path --speed some/path --out some/path --results some/path some/other --compositional some/path some/other --published some/path --journals one=a/path two=b/path --rerank some/path
report --settings some/path --speed some/path --out some/path --results some/path some/other --compositional
report --settings some/path --speed some/path --out some/path --results some/path some/other --journals
ablations --settings some/path --speed some/path --out some/path --results some/path some/other
ablations --settings some/path --speed some/path --out some/path --results some/path some/other --compositional some/path some/other --pair-times one=a/path two=b/path
ablations --settings some/path --speed some/path --out some/path --results some/path some/other --compositional
ablations --settings some/path --speed some/path --out some/path --results some/path some/other --pair-times
claims --results some/path some/other --out some/path
provenance a/artifact
provenance a/artifact a/other --row 'a red ring' 'a red ring' --column name --config some/path --json
doctor
doctor --configfile some/path
page --settings some/path --results some/path --manifest some/path --features some/path --out some/path
page --settings some/path --results some/path --manifest some/path --features some/path --out some/path --ablations some/path --judged one=a/path two=b/path --journals one=a/path two=b/path --negatives some/path --pictures some/path
page --settings some/path --results some/path --manifest some/path --features some/path --out some/path --judged
page --settings some/path --results some/path --manifest some/path --features some/path --out some/path --journals
index --model some/path --images some/path --out some/path
index --model some/path --images some/path --out some/path --structure auto --prune --device cpu
index --model some/path --images some/path --out some/path --structure flat
index --model some/path --images some/path --out some/path --structure pq4
index --model some/path --images some/path --out some/path --structure sq8
index --model some/path --images some/path --out some/path --structure hnsw
index --model some/path --images some/path --out some/path --structure ivfpq
index --model some/path --images some/path --out some/path --device cuda
search a/index 'a red ring'
search a/index --image a.jpg
search a/index --queries a.jpg
search a/index 'a red ring' -k 20 --rerank 20 --joint some/path --model some/path --format table --out a.jpg
search a/index -k 20 --rerank 20 --joint some/path --model some/path --format table --out a.jpg --image a.jpg
search a/index -k 20 --rerank 20 --joint some/path --model some/path --format table --out a.jpg --queries a.jpg
search a/index 'a red ring' --format jsonl
search a/index 'a red ring' --format sheet
index-remove a/index a/id a/id
index-export a/index --out some/path
index-export a/index --out some/path --to parquet
index-export a/index --out some/path --to lancedb
serve a/index
serve a/index --host 127.0.0.1 --port 20 --joint some/path --rerank 20 --model some/path --example 'a red ring' --example 'two circles'
search a/index -k 2 'a red ring'
search a/index 'a red ring' --json
search --json a/index 'a red ring' -k 5
""".strip().splitlines()
]
