"""Panel: a set of controls and pure functions from their values to HTML."""

import json
from collections.abc import Callable
from functools import cached_property
from html import escape

import ipywidgets

from llmsizing.errors import InvalidInput, UnknownName
from llmsizing.panels.controls import control_state, move_control

MARK = "<details data-later>"
#: Where a panel's function leaves room, below a heading, for what comes when a reader taps.
LATER = MARK + "<summary>{}</summary></details>"


class Panel:
    """A result that follows its controls.

    The result stands above, the first two controls below it in sight, the rest one tap away.
    What takes too long for each step of a slider stands one tap away, too: ``show`` leaves
    `LATER` with a heading, and ``later`` says what belongs below it. A page asks for it when a
    reader taps; everywhere else it is there at once.

    Parameters
    ----------
    title : str
        What the panel answers.
    show : callable
        From the controls' values, by name, to HTML. An InvalidInput or UnknownName that it
        raises is shown as its message.
    controls : dict of str to ipywidgets.Widget
        In order; each key is a parameter of ``show``, each widget has a description.
    later : callable, optional
        From the same values to the HTML that belongs into ``show``'s `LATER`.

    Examples
    --------
    >>> panel = Panel("Double", lambda n: f"<b>{2 * n}</b>",
    ...               {"n": ipywidgets.IntSlider(3, description="n")})
    >>> panel.controls["n"].value = 4
    >>> panel.result
    '<b>8</b>'
    """

    IN_SIGHT = 2

    def __init__(self, title: str, show: Callable[..., str], controls: dict[str, ipywidgets.Widget], *,
                 later: Callable[..., str] | None = None) -> None:
        self.title = title
        self.controls = controls
        self._show = show
        self._later = later

    @property
    def at_once(self) -> str:
        """The HTML for where the controls stand, as a page draws it at each step."""
        return self._said_by(self._show)

    @property
    def later(self) -> str:
        """What belongs into the `LATER` of ``at_once``."""
        return self._said_by(self._later) if self._later else ""

    @property
    def result(self) -> str:
        """The whole HTML for where the controls stand."""
        before, marked, after = self.at_once.partition(MARK)
        heading, end, rest = after.partition("</details>")
        return f"{before}<details>{heading}{self.later}{end}{rest}" if marked else before

    @cached_property
    def widget(self) -> ipywidgets.VBox:
        """The panel for where widgets run, made when it is shown there, since a page needs none."""
        shown = ipywidgets.HTML(self.result)
        for control in self.controls.values():
            control.layout.width = "100%"
            control.style.description_width = "6.5rem"
            control.observe(lambda _change: setattr(shown, "value", self.result), names="value")
        box = ipywidgets.VBox([shown, *self._arranged(list(self.controls.values()))])
        box.layout.max_width = "40rem"
        return box

    def state(self) -> dict[str, object]:
        """What a page draws: the title, the controls as they stand, and how many in sight."""
        controls = [control_state(name, control) for name, control in self.controls.items()]
        return {"title": self.title, "in_sight": self.IN_SIGHT, "controls": controls}

    def move(self, settings: dict[str, object]) -> None:
        """Move controls, by name, to where the page has them: see ``controls.control_state``."""
        for name, at in settings.items():
            move_control(self.controls[name], at)

    def _said_by(self, function: Callable[..., str]) -> str:
        try:
            return function(**{name: control.value for name, control in self.controls.items()})
        except (InvalidInput, UnknownName) as error:
            return f"<p role='alert'>{escape(str(error))}</p>"

    def _arranged(self, controls: list[ipywidgets.Widget]) -> list[ipywidgets.Widget]:
        rest = controls[self.IN_SIGHT:]
        if not rest:
            return controls
        more = ipywidgets.Accordion([ipywidgets.VBox(rest)], titles=["More settings"])
        return [*controls[:self.IN_SIGHT], more]

    def _repr_mimebundle_(self, **options: object) -> dict[str, object]:
        """Show the widget where widgets run, and the panel as it stands everywhere else."""
        bundle = self.widget._repr_mimebundle_(**options)
        return {**bundle, "text/plain": f"Panel: {self.title}", "text/html": self._as_it_stands()}

    def _as_it_stands(self) -> str:
        settings = "".join(
            f"<li>{escape(control.description)}: <b>{escape(_shown(control))}</b></li>"
            for control in self.controls.values() if _shown(control)
        )
        return (
            f"<div class='sizing-panel' role='group' aria-label='{escape(self.title)}'"
            f" data-panel='{_attribute(self.state())}'>"
            "<p class='sizing-still'><small>This panel stands still here. It moves where the notebook"
            f" runs.</small></p><div class='sizing-result'>{self.result}</div>"
            f"<ul class='sizing-labels'>{settings}</ul></div>"
        )


def _attribute(data: dict[str, object]) -> str:
    """Write data for an attribute in single quotes, so that its double quotes stay readable."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return escape(text, quote=False).replace("'", "&#x27;")


def _shown(control: ipywidgets.Widget) -> str:
    """Write a control's value as the control itself shows it."""
    return str(getattr(control, "label", None) or control.value)
