"""Drop sphinx-thebe's scripts and styles, which Jupyter Book puts on every page.

They need a remote kernel, and raise an error on every page when there is none.
"""


def drop_thebe(app, page: str, template: str, context: dict, doctree) -> None:
    context["script_files"] = [
        script for script in context["script_files"] if "thebe" not in str(script).lower()
    ]
    context["css_files"] = [
        sheet for sheet in context["css_files"] if "thebe" not in str(sheet).lower()
    ]


def setup(app) -> dict[str, bool]:
    app.connect("html-page-context", drop_thebe, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
