"""A model that does not fit: every process keeps a share of each layer's base weights (FSDP2) and borrows the rest in turn.

The adapter is small and stays whole in every process, so the optimizer's step, checkpoints and the published adapter are
those of an unsharded training. Every forward pass is a meeting of all processes: they must run the same number of them.
"""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor

from stic_trainer.ranks import Ranks


def shard_layers(layers: Iterable[nn.Module], ranks: Ranks) -> dict[str, str]:
    """Shares out the frozen weights of each layer; trainable ones stay. Facts for the run's record: how many this process keeps."""
    held = 0
    for layer in layers:
        if ranks.world_size > 1:
            kept = {parameter for parameter in layer.parameters() if parameter.requires_grad}
            mesh = init_device_mesh(next(layer.parameters()).device.type, (ranks.world_size,))
            fully_shard(layer, mesh=mesh, reshard_after_forward=True, ignored_params=kept)
        held += sum(_local(parameter).numel() for parameter in layer.parameters() if not parameter.requires_grad)
    return {"layer_weights_held": str(held)}


def _local(parameter: Tensor) -> Tensor:
    return parameter.to_local() if isinstance(parameter, DTensor) else parameter
