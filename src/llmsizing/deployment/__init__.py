"""From a choice to a tested server: settings of engines, and a rehearsal without weights."""

from llmsizing.deployment.launch import Flag, Launch, Step
from llmsizing.deployment.rehearsal import Rehearsal, rehearse
from llmsizing.deployment.settings import settings
from llmsizing.deployment.shape_file import write_shape

__all__ = ["Flag", "Launch", "Rehearsal", "Step", "rehearse", "settings", "write_shape"]
