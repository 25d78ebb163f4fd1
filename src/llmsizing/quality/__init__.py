"""What quantization costs in answers: measurements of others, and what they say of a model."""

from llmsizing.quality.front import Point, best_within, front, sized_scores
from llmsizing.quality.loss import Loss, quality_loss
from llmsizing.quality.measurements import Measurement, one_scale, quality_rows, relative
from llmsizing.quality.nearness import yardstick

__all__ = ["Loss", "Measurement", "Point", "best_within", "front", "one_scale", "quality_loss",
           "quality_rows", "relative", "sized_scores", "yardstick"]
