"""Controls as data: what a page needs to draw them, and how it moves them."""

import ipywidgets

#: What a page draws for a class of ipywidgets, or for one that comes from it.
KINDS = {
    ipywidgets.Dropdown: "choice", ipywidgets.Select: "choice",
    ipywidgets.RadioButtons: "buttons", ipywidgets.ToggleButtons: "buttons",
    ipywidgets.SelectionSlider: "stops",
    ipywidgets.IntSlider: "range", ipywidgets.FloatSlider: "range",
    ipywidgets.IntText: "number", ipywidgets.BoundedIntText: "number",
    ipywidgets.FloatText: "number", ipywidgets.BoundedFloatText: "number",
    ipywidgets.Text: "text", ipywidgets.Textarea: "long text",
    ipywidgets.Checkbox: "check", ipywidgets.ToggleButton: "check",
}
SELECTIONS = ("choice", "buttons", "stops")
LIMITS = ("min", "max", "step", "rows", "placeholder")


def control_kind(control: ipywidgets.Widget) -> str:
    """What a page draws for a control.

    Raises
    ------
    TypeError
        If no page can draw it.

    Examples
    --------
    >>> control_kind(ipywidgets.IntSlider())
    'range'
    """
    for ancestor in type(control).__mro__:
        if ancestor in KINDS:
            return KINDS[ancestor]
    known = ", ".join(sorted(widget.__name__ for widget in KINDS))
    raise TypeError(f"A page draws no {type(control).__name__}. It draws {known}.")


def control_state(name: str, control: ipywidgets.Widget) -> dict[str, object]:
    """Say in plain data what a control is and where it stands.

    A selection stands at the place of an option; ``values`` holds what an option is called in
    an address, where that differs from its label.

    Examples
    --------
    >>> control_state("n", ipywidgets.Dropdown(options=[("one", 1), ("two", 2)], description="N"))
    {'name': 'n', 'label': 'N', 'kind': 'choice', 'at': 0, 'options': ['one', 'two'], 'values': ['1', '2']}
    """
    kind = control_kind(control)
    state: dict[str, object] = {"name": name, "label": control.description, "kind": kind}
    if kind in SELECTIONS:
        labels = list(control._options_labels)
        values = [str(value) for value in control._options_values]
        differ = {"values": values} if values != labels else {}
        return {**state, "at": control.index, "options": labels, **differ}
    limits = {limit: getattr(control, limit) for limit in LIMITS
              if getattr(control, limit, None) not in (None, "")}
    return {**state, "at": control.value, **limits}


def move_control(control: ipywidgets.Widget, at: object) -> None:
    """Move a control to where ``control_state`` would say that it stands.

    Examples
    --------
    >>> control = ipywidgets.Dropdown(options=["one", "two"])
    >>> move_control(control, 1)
    >>> control.value
    'two'
    """
    if control_kind(control) in SELECTIONS:
        control.index = at
    else:
        control.value = at
