"""One function for each family of models, from its config to its layers."""

from llmsizing.architecture.families import dense, experts, gemma, hybrid
from llmsizing.architecture.families.blocks import Family

#: By model_type, as config.json has it.
FAMILIES: dict[str, Family] = {
    **dense.FAMILIES, **gemma.FAMILIES, **experts.FAMILIES, **hybrid.FAMILIES,
}

__all__ = ["FAMILIES", "Family"]
