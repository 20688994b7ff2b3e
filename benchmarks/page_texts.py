"""What the page of benchmarks says of each row: how it was measured, and what was tried."""

from collections.abc import Callable, Mapping
from typing import Any

from page_training_texts import grad_cache, training_step, vilt_throughput

Results = Mapping[str, Mapping[str, Any]]


def paragraphs(results: Results) -> list[str]:
    """One under a heading of its own for every benchmark that was measured."""
    return [f"### {title}\n\n{text(results[name])}\n" for name, (title, text) in TEXTS.items() if name in results]


def stages(value: Mapping[str, Any]) -> str:
    """A table of steps."""
    total = value["total"]
    earlier = "total_before" in value
    lines = [
        f"{total['jobs']} jobs, {total['cpu_seconds']:,.0f} s of processor, {total['seconds']:,.0f} s added up by the clock, "
        f"at most {total['peak_mib']:,.0f} MiB.",
        "",
        "| step | jobs | s of CPU | share | MiB |" + (" s of CPU before |" if earlier else ""),
        "| --- | ---: | ---: | ---: | ---: |" + (" ---: |" if earlier else ""),
    ]
    for row in value["steps"]:
        line = f"| {row['step']} | {row['jobs']} | {row['cpu_seconds']:,.1f} | {row['share']:.1%} | {row['peak_mib']:,.0f} |"
        lines.append(line + (f" {row['before']['cpu_seconds']:,.1f} |" if earlier else ""))
    return "\n".join(lines)


def embed(value: Mapping[str, Any]) -> str:
    """Both precisions, images and captions apart."""
    lines = [
        f"A BERT-base-sized VinVL model with random weights; {value['images']:,} images of {value['mean_regions']:.0f} regions "
        f"in the mean, {value['captions']:,} captions of Flickr30k. Released: captions padded to 35 tokens, tags to 35, regions "
        f"to 70, each image once a caption, extrapolated from {value['released_sampled']} captions. Ours: each image once, no "
        "padding in any product. Only operations on useful tokens count.",
        "",
        "| | images/s | captions/s | GFLOP/s | of the ceiling | images, captions | released, same precision |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name in ("float32", "bfloat16"):
        own = value[name]
        rate, part = own["items_per_second"], own["share_of_ceiling_of"]
        lines.append(
            f"| {name} | {rate['images']:.1f} | {rate['captions']:.0f} | {own['gflop_per_second']:,.0f} | "
            f"{own['share_of_ceiling']:.1%} | {part['images']:.1%}, {part['captions']:.1%} | "
            f"{own['times_faster_than_released']:.2f}× |"
        )
    lines += [
        "",
        "The tokens of many rows, about 2,048, go through a layer as one matrix; attention runs over rows of one "
        "length; query, key and value are one product. oneDNN multiplies, with weights laid out once: MKL, which "
        "PyTorch calls in float32, uses half the width of this processor's vector units. What is missing to the "
        "ceiling is attention for the most part. Tried and left: fewer tokens at once, attention as plain products in"
        " float32 (in bfloat16 it is quicker and is used), queries, keys and values apart; "
        "`torch.compile` with frozen weights, on a Xeon slightly quicker for rows of one length, but it compiles for half a "
        "minute, and again where lengths differ.",
    ]
    return "\n".join(lines)


def joint(value: Mapping[str, Any]) -> str:
    """The parts of both times, and the curve."""
    lines = [
        f"The same model, {value['precision']}, {value['threads']} threads. A pair takes {value['pair_ms']:.1f} ms, an image "
        f"{value['image_ms']:.1f} ms, a caption {value['caption_ms']:.2f} ms, all ranking {value['ranking_ms']:.0f} ms; from "
        f"{value['sampled_pairs']:,} pairs, {value['sampled_images']:,} images and {value['sampled_captions']:,} captions.",
        "",
        "| images | joint, s a query | decomposed, ms a query | times |",
        "| ---: | ---: | ---: | ---: |",
    ]
    for point in value["gallery_curve"]:
        slow, quick = point["joint_seconds_per_query"], point["dual_ms_per_query"]
        lines.append(f"| {point['n_images']:,} | {slow:,.0f} | {quick:,.1f} | {1000 * slow / quick:,.0f} |")
    return "\n".join(lines)


def nearest(value: Mapping[str, Any]) -> str:
    """Every structure as it is set at every size; other settings and faiss alone at the largest."""
    lines = [
        f"D = {value['width']}, {value['queries']} queries one by one, {value['k']} hits; memory is read at "
        f"{value['memory_GB_per_second']} GB/s. Recall is against exact scores in float64.",
        "",
        "| vectors | structure | setting | p50 ms | p95 ms | ms of CPU | recall@10 | MiB | built in s |",
        "| ---: | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    largest = max(point["rows"] for point in value["points"])
    for point in value["points"]:
        if point["rows"] < largest and not point.get("own_settings"):
            continue  # the file has them
        setting = "as set" if point.get("own_settings") else f"{point['by']} {point['setting']}".strip()
        size = point["structure_mib"] or point["vectors_mib"]
        built = f"{point['built']['seconds']:,.0f}" if point["built"] else ""
        lines.append(
            f"| {point['rows']:,} | {point['kind']} | {setting} | {point['p50_ms']:.2f} | {point['p95_ms']:.2f} | "
            f"{point['mean_cpu_ms']:.2f} | {point['recall_at_10']:.3f} | {size:,.0f} | {built} |"
        )
    lines += [
        "",
        "Rows of `faiss` are its answers alone; the others are `vldeformer`'s, with the scores of what is proposed "
        "computed exactly. FAISS answers a single query on one thread, also where `vldeformer` asks it; `flat` of `vldeformer` "
        f"compares on all {value['threads_of_ours']} threads: there the time of processor is what compares the two. From the "
        "curve: `flat` up to 100,000 images, where it is quick enough and exact, then `pq4` (four bits for two numbers, all "
        "compared), which still answers at once: HNSW finds about as much and is quicker the more vectors there are, but takes "
        "far longer to build and many times the memory; `--structure hnsw` asks for it. Beyond 10,000,000, which was not "
        "measured, `ivfpq`. HNSW of 1,000,000 vectors is measured with `nearest.py --hnsw-rows 1000000`.",
    ]
    return "\n".join(lines)


def random_features(value: Mapping[str, Any]) -> str:
    """Warm and cold rates of every way to read."""
    lines = [
        f"{value['images']:,} images of {value['mean_regions']:.0f} regions in the mean, in random order. Cold: the files are "
        "dropped from the system's cache before each turn.",
        "",
        "| | images/s warm | cold | bytes of the TSV's |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, warm in value["warm_rows_per_second"].items():
        cold, share = value["cold_rows_per_second"].get(name), value["bytes_of_tsv"].get(name)
        shown = f"{'' if cold is None else format(cold, ',')} | {'' if share is None else format(share, '.1%')}"
        lines.append(f"| {name.replace('_', ' ')} | {warm:,} | {shown} |")
    tried = (
        "A mapped file's pages lie scattered in memory, 4 KiB each: copies out of memory in one piece take about half the time. "
        "Tried and left: `pread` into the place they go to, which is as quick as a copy from the map."
    )
    return "\n".join([*lines, "", tried])


def serve_load(value: Mapping[str, Any]) -> str:
    """A line a level of concurrency."""
    lines = [
        f"{value['vectors']:,} vectors, D = {value['width']}, {value['k']} hits, searched flat; every query is another one. "
        "Server and client share the machine.",
        "",
        "| at once | requests/s | p50 ms | p95 ms | errors | ms of CPU a request |",
        "| ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for level in value["levels"]:
        lines.append(
            f"| {level['concurrency']} | {level['requests_per_second']:,.0f} | {level['p50_ms']:.1f} | {level['p95_ms']:.1f} | "
            f"{level['errors']} | {level['server_cpu_ms']:.2f} |"
        )
    lines += ["", "Tried and left: several queries compared in one product; they take as long as one after the other."]
    return "\n".join(lines)


def exact_ranks(value: Mapping[str, Any]) -> str:
    """Contenders on one kind of vectors."""
    lines = [
        f"{value['images']:,} images × {value['captions']:,} captions, D = {value['width']}, {value['threads']} threads, random "
        f"vectors; the bare product is what no exact ranking can be faster than.",
        "",
        "| | s | s of CPU | MiB |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, row in sorted(value["vectors"]["random"].items(), key=lambda item: item[1]["seconds"]):
        lines.append(f"| {name.replace('_', ' ')} | {row['seconds']:.2f} | {row['cpu_seconds']:.2f} | {row['peak_mib']:.0f} |")
    return "\n".join(lines)


def import_features(value: Mapping[str, Any]) -> str:
    """Speed of the import beside that of the disk and of base64 alone."""
    half = value["import"]["float16"]
    return (
        f"{value['tsv_bytes'] / 1e9:.1f} GB of VinVL's TSV become a store of float16 in {half['seconds']:.1f} s, "
        f"{half['tsv_MB_per_second']} MB/s, {half['store_bytes_of_tsv_bytes']:.0%} of its bytes, {half['peak_memory_MiB']} MiB "
        f"of memory. The disk alone reads {value['disk_read_MB_per_second']} MB/s; base64 alone on one core decodes "
        f"{value['base64_one_core_MB_per_second']['python']} MB/s by Python's module, "
        f"{value['base64_one_core_MB_per_second']['pybase64']} MB/s by pybase64."
    )


def float16_features(value: Mapping[str, Any]) -> str:
    """Recalls of both types."""
    own = value["scenes"]
    return (
        f"On `scenes` the mean of the six recalls is {own['mean_recall_float32']:.2f} from float32 features and "
        f"{own['mean_recall_float16']:.2f} from float16; {own['i2t_ranks_changed'] + own['t2i_ranks_changed']} of "
        f"{own['images'] + own['captions']:,} ranks change, numbers of a vector by at most "
        f"{own['largest_difference_of_a_vector']:.0e}."
    )


TEXTS: dict[str, tuple[str, Callable[[Mapping[str, Any]], str]]] = {
    "embed": ("Embedding", embed),
    "joint_against_decomposed": ("Joint against decomposed", joint),
    "random_features": ("Region features at random", random_features),
    "training_step": ("A training step", training_step),
    "exact_ranks": ("Exact ranks", exact_ranks),
    "nearest": ("Nearest neighbours", nearest),
    "serve_load": ("The search server", serve_load),
    "stages": ("The steps of the pipeline", stages),
    "import_features": ("Import of VinVL's features", import_features),
    "float16_features": ("Features in float16", float16_features),
    "grad_cache": ("Batches larger than memory", grad_cache),
    "vilt_throughput": ("ViLT on a GPU", vilt_throughput),
}
