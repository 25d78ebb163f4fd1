"""A model's shape: from its config.json to layers, tensors and exact counts."""

from llmsizing.architecture.attention import Attention, LatentAttention
from llmsizing.architecture.families import FAMILIES
from llmsizing.architecture.feed_forward import Experts, FeedForward
from llmsizing.architecture.model import Layer, Model, expect_model
from llmsizing.architecture.read import read_config
from llmsizing.architecture.tensors import ROLES, Tensor

__all__ = ["Attention", "Experts", "FAMILIES", "FeedForward", "LatentAttention", "Layer", "Model",
           "ROLES", "Tensor", "expect_model", "read_config"]
