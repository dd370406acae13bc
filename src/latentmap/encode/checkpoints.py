"""Checkpoints of fine-tunes: weights alone, under the names that a model gives them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentmap.errors import LatentmapError

if TYPE_CHECKING:
    import torch

NESTED_UNDER = ("state_dict", "model_state_dict", "model")
"""Keys under which training scripts keep the weights, beside epochs and optimisers."""

WRAPPERS = ("module.", "_orig_mod.", "model.")
"""Prefixes that DistributedDataParallel, torch.compile and training scripts put on every name."""

NOT_OF_IMAGES = ("text_", "logit_", "classifier.", "head.", "fc.")
"""Starts of names that may be left over: the text tower, the temperature, a classifier's head."""

BUFFERS = ("position_ids", "inv_freq", "num_batches_tracked")
"""Ends of the names of what older libraries saved with the weights and newer ones compute."""

NAMED = 3


def read_checkpoint(path: Path | str) -> dict[str, torch.Tensor]:
    """Read weights by name: safetensors, or what `torch.save` wrote, read as weights only.

    The weights may be nested, as OpenCLIP's are under `state_dict`, and every name may carry the
    prefix of a wrapper, such as `module.`; neither is in what is returned.

    Raises:
        LatentmapError: the file cannot be read, or holds anything but weights.
    """
    import pickle

    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if Path(path).suffix == ".safetensors":
            content: Any = load_file(path)
        else:
            content = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, SafetensorError, pickle.UnpicklingError) as error:
        reason = " ".join(str(error).split())[:200]
        raise LatentmapError(
            f"The checkpoint {path} cannot be read as weights only; save the model's state_dict, "
            f"best as safetensors: {reason}"
        ) from None
    if not isinstance(content, Mapping):
        raise LatentmapError(
            f"The checkpoint {path} holds no weights by name but a {type(content).__name__}; save "
            "the model's state_dict, best as safetensors."
        )
    nested = (content[key] for key in NESTED_UNDER if isinstance(content.get(key), Mapping))
    return _unwrapped(next(nested, content))


def check_names(
    path: Path | str,
    model: str,
    missing: Iterable[str],
    unexpected: Iterable[str],
    mismatched: Iterable[str] = (),
) -> None:
    """Check that a checkpoint gives a tower all of its weights and nothing that changes it.

    Args:
        path: the checkpoint.
        model: what the tower is called.
        missing: weights of the tower that the checkpoint lacks.
        unexpected: weights of the checkpoint that the tower does not have. Those of a text tower
            or of a classifier's head are left aside; others, such as those of an adapter, would
            have changed what the tower gives.
        mismatched: weights of the checkpoint that have another shape in the tower.

    Raises:
        LatentmapError: names some of either.
    """
    left_over = (name for name in unexpected if not name.startswith(NOT_OF_IMAGES))
    misfit = describe_misfit(missing, left_over, mismatched)
    if misfit:
        raise LatentmapError(
            f"The checkpoint {path} is not one of {model}: it {misfit}; give the model that was "
            "fine-tuned, with adapters merged into it."
        )


def describe_misfit(
    missing: Iterable[str], unused: Iterable[str], mismatched: Iterable[str] = ()
) -> str:
    """Say how weights do not fit a model, each kind with the names of some; nothing if they do.

    Args:
        missing: weights of the model that are not there.
        unused: weights that are there and not in the model; buffers that it computes do not count.
        mismatched: weights that are there in another shape.
    """
    kinds = {
        "lacks {} of the model's weights": sorted(missing),
        "has {} unknown to it": sorted(name for name in unused if not name.endswith(BUFFERS)),
        "has {} in another shape": sorted(mismatched),
    }
    return " and ".join(
        f"{kind.format(len(names))} ({_some(names)})" for kind, names in kinds.items() if names
    )


def describe_report(module: Any, info: Mapping[str, Any]) -> str:
    """Say how weights do not fit a model of transformers, by what its loading reports.

    Whole models have parts that are none of the module's, of texts or for other tasks; unused
    weights count only under the names of parts that it has.

    Args:
        module: the model that was loaded.
        info: what `from_pretrained` reports of it.
    """
    parts = {name.partition(".")[0] for name, _ in module.named_parameters()}
    unused = {name for name in info["unexpected_keys"] if name.partition(".")[0] in parts}
    mismatched = {name for name, *_ in info["mismatched_keys"]}
    return describe_misfit(info["missing_keys"], unused, mismatched)


def check_finite(module: Any, model: str, ignored: tuple[str, ...] = ()) -> None:
    """Refuse a model with weights that are not finite: nothing that it gives would be.

    Args:
        module: the model, loaded.
        model: what it is called.
        ignored: starts of the names of weights that do not matter.

    Raises:
        LatentmapError: names one, and what helps.
    """
    weights = ((n, w) for n, w in module.named_parameters() if not n.startswith(ignored))
    broken = [(name, weight.dtype) for name, weight in weights if not weight.isfinite().all()]
    if broken:
        name, dtype = broken[0]
        precision = str(dtype).removeprefix("torch.")
        remedy = "" if precision == "float32" else "set dtype to float32, or "
        raise LatentmapError(
            f"{len(broken)} weights of {model} are not finite in {precision} ({name}); "
            f"{remedy}fetch the model again."
        )


def _unwrapped(content: Any) -> dict[str, torch.Tensor]:
    import torch

    weights = {str(name): value for name, value in content.items() if torch.is_tensor(value)}
    while weights:
        shared = [prefix for prefix in WRAPPERS if all(n.startswith(prefix) for n in weights)]
        if not shared:
            break
        weights = {name.removeprefix(shared[0]): value for name, value in weights.items()}
    return weights


def _some(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else "")
