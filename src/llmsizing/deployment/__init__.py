"""From a choice to a tested server: settings of engines, and a rehearsal without weights."""

from llmsizing.deployment.launch import Flag, Launch, Step
from llmsizing.deployment.rehearsal import Rehearsal, rehearse
from llmsizing.deployment.server_log import ServerLog, read_server_log
from llmsizing.deployment.settings import settings
from llmsizing.deployment.shape_file import write_shape

__all__ = ["Flag", "Launch", "Rehearsal", "ServerLog", "Step", "read_server_log", "rehearse", "settings",
           "write_shape"]
