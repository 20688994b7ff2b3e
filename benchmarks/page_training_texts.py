"""What the page of benchmarks says of training, and of one device in training and embedding."""

from collections.abc import Mapping
from typing import Any


def training_step(value: Mapping[str, Any]) -> str:
    """Both cases, the wait, and what was tried."""
    small = value["scenes"]
    ours, plain = small["ours"], small["plain"]
    text = [
        f"`scenes`, experiment `decomposed`, random weights, {small['pairs']} pairs a step, {small['threads']} thread: "
        f"{1000 * ours['seconds']:,.0f} ms against {1000 * plain['seconds']:,.0f} ms, {1000 * ours['cpu_seconds']:,.0f} ms "
        f"against {1000 * plain['cpu_seconds']:,.0f} ms of processor. A pair, its negatives included, has "
        f"{small['positions_useful']:.0f} words, tags and regions; in buckets by length {small['positions_ours']:.0f} positions "
        f"are calculated, padded {small['positions_plain']:.0f}. Products of matrices: {small['gflop_ours']:,.0f} GFLOP a step, "
        f"{small['ours_gflops_per_second']:,.0f} GFLOP/s.",
    ]
    text.append(
        f"The next batch is read in a thread while the model works: it waits {1000 * ours['wait']:.2g} ms a step "
        f"({ours['wait_share']:.1%}); the plain loop reads for {1000 * plain['wait']:.0f} ms."
    )
    if "vinvl" in value:
        large = value["vinvl"]
        text.append(
            f"At VinVL's width (hidden 768, regions of 2,054 numbers, captions of Flickr30k, 10–70 regions, {large['layers']} of "
            f"12 layers, {large['pairs']} pairs, {large['threads']} threads) rows are nearly as long as the limits: "
            f"{large['positions_useful']:.0f} of {large['positions_plain']:.0f} positions are no padding. A loop without any "
            f"padding is {large['positions_plain'] / large['positions_useful']:.2f} times as fast as the plain one; ours is "
            f"{large['ratio']:.2f} times as fast."
        )
    lines = [
        "| tried | pairs/s | against ours | loss differs by | gradient differs by, of its norm |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, row in sorted(value["tried"].items(), key=lambda item: -item[1]["pairs_per_second"]):
        if name == "as it is":
            continue
        lines.append(
            f"| {name} | {row['pairs_per_second']:,.0f} | {row['ratio']:.2f}× | {row['loss_difference']:.0e} | "
            f"{row['gradient_difference']:.0e} |"
        )
    text.append("\n".join(lines))
    text.append(
        "Taken: buckets by length, reading ahead, and linear layers by the library that is quicker on the processor: oneDNN on "
        "one by AMD, MKL, which PyTorch's own are made by, on one by Intel. Left: more buckets and one pass with the negatives, "
        "which gain little or nothing; on Intel's, oneDNN for the output and the gradient of the input, which gains at small "
        "layers and loses more at wide ones. bfloat16 is the setting `runtime.precision`; two threads make one training faster, "
        "but two trainings side by side on a thread each are done sooner."
    )
    return "\n\n".join(text)


def grad_cache(value: Mapping[str, Any]) -> str:
    """Memory and time of a large batch."""
    lines = [f"One step of {value['pairs']:,} pairs with negatives, {value['threads']} thread, as one graph and in chunks.", ""]
    lines += ["| images of a chunk | peak MiB | s |", "| --- | ---: | ---: |"]
    for step in value["steps"]:
        lines.append(f"| {step['chunk_images'] or 'all'} | {step['peak_memory_mib']:,} | {step['seconds']:.1f} |")
    return "\n".join(lines)


def vilt_throughput(value: Mapping[str, Any]) -> str:
    """Rates, and what the shares in the table are of."""
    embedded, trained = value["embedding"], value["training"]
    return (
        f"{value['gpu'] or 'On the processor, which says nothing of a GPU'}: a ViLT-B/32-sized model of {value['layers']} layers "
        f"with random weights, {value['precision']}, {value['batch']} pairs at once, {value['image_tokens']} tokens an image, "
        f"{value['caption_tokens']} a caption. From pictures to vectors {embedded['images_per_second']:,.0f} images/s (scaling "
        f"and cutting alone {embedded['reading_images_per_second']:,.0f}) and {embedded['captions_per_second']:,.0f} captions/s; "
        f"training {trained['pairs_per_second']:,.0f} pairs/s in {trained['peak_mib'] / 1024:.1f} GiB. Shares: of embedding with "
        f"its inputs on the device, of whole training steps, {trained['wait_share']:.1%} of which is a wait for data."
    )
