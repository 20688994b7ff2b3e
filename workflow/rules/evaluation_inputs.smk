"""What an experiment is judged by."""


def judged(wildcards):
    """What an experiment's recall is measured on."""
    if wildcards.protocol != "subset" and PLAN.settings[wildcards.experiment].train.kind == "joint":
        return artifact(wildcards.experiment, "score_all")
    return judged_of(wildcards.experiment)


def judged_option(wildcards):
    return "--embeddings" if PLAN.settings[wildcards.experiment].train.kind == "dual" else "--scores"


def key_list(wildcards):
    """The fixed list of images of the protocol coco-1k-fixed."""
    if not VINVL or wildcards.protocol != "coco-1k-fixed":
        return []
    given = [part.keys_1k for part in PARTS.values() if part.keys_1k]
    if len(given) != 1:
        raise WorkflowError(f"protocol coco-1k-fixed needs keys_1k in one part of dataset.parts, got it in {len(given)}")
    return [f"{RAW_DIR}/{given[0]}"]


def judged_part(wildcards):
    """A published protocol is of one data set: of a joined one its part is judged, by its own ids."""
    part = wildcards.protocol.split("-")[0]
    return option("--part", part) if len(PARTS) > 1 and part in PARTS else []
