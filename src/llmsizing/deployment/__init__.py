"""From a choice to a tested server: settings of engines, and a rehearsal without weights."""

from llmsizing.deployment.launch import Flag, Launch, Step
from llmsizing.deployment.settings import settings

__all__ = ["Flag", "Launch", "Step", "settings"]
