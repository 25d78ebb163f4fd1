import time

import pytest

from llmsizing import InvalidInput, table
from llmsizing.tables import Table


def test_numbers_are_written_for_people():
    text = str(table([{"model": "A", "tokens": 131072, "GiB": 16.0},
                      {"model": "Longer", "tokens": 8, "GiB": 0.126}]))
    assert text.splitlines() == [
        "model    tokens    GiB",
        "A       131,072  16.00",
        "Longer        8   0.13",
    ]


def test_html_names_rows_and_columns_for_a_screen_reader():
    page = table([{"model<": "A<B", "GiB": 1.5}])._repr_html_()
    assert "model&lt;</th>" in page
    assert "<th scope='col' style='text-align:right'>GiB</th>" in page
    assert "<th scope='row' style='text-align:left'>A&lt;B</th>" in page
    assert "<td style='text-align:right'>1.50</td>" in page


def test_a_first_column_of_numbers_stands_right():
    assert "<th scope='row' style='text-align:right'>2,048</th>" in table([{"t": 2048}])._repr_html_()


def test_numbers_of_other_libraries_and_truth_values():
    import numpy

    row = {"tokens": numpy.int64(131072), "GiB": numpy.float32(0.5), "fits": True}
    assert str(table([row])).splitlines()[1] == "131,072  0.50  True"


def test_no_rows_and_uneven_rows_are_refused():
    with pytest.raises(InvalidInput, match="at least one row"):
        table([])
    with pytest.raises(InvalidInput, match=r"Row 2 has the columns \['b'\], not \['a'\]"):
        table([{"a": 1}, {"b": 2}])


def sides(cells):
    """On which side a column after the first stands."""
    page = table({"name": "A", "size": cell} for cell in cells)._repr_html_()
    return "right" if "<th scope='col' style='text-align:right'>size" in page else "left"


@pytest.mark.parametrize("cell", [
    4, 4.5, -1, "4", "131,072", "-0.96", "+5%", "−9.02", "~ 4.5", "~4.5 GiB", "0.5 billion", "62.6 %",
    "11.75 to 12.00", "11.75 to 12.00 GiB", "3–5 years", "20 tokens/s", "8B", "€1,200", " 4 "])
def test_a_number_with_its_unit_stands_right(cell):
    assert sides([cell]) == sides(["not read", cell]) == "right"


@pytest.mark.parametrize("cell", [
    "", "not read", "3 billion parameters serve each token", "3 or 4", "4-bit", "2024-07-01", "Q4_K_M", "B8",
    "3.1.4", "IQ4_XS", "4_K", "-", "%", "8x7B", True, None])
def test_what_only_begins_with_a_number_is_a_word(cell):
    assert sides([cell]) == "left"


def test_a_first_column_stands_right_only_if_all_of_it_is_numbers():
    for names, side in (([4, "8,192"], "right"), (["A", 4], "left")):
        page = table({"name": name, "size": 1} for name in names)._repr_html_()
        assert f"<th scope='col' style='text-align:{side}'>name" in page


def test_a_long_table_is_made_at_once():
    start = time.perf_counter()
    rows = table({"name": f"row {number}", "size": "a word", "kind": "another"} for number in range(2_000))
    assert len(str(rows).splitlines()) == rows._repr_html_().count("<tr>") == 2_001
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize(("rows", "message"), [
    (None, "rows must be an Iterable, not None: one dict for each row"),
    (5, "rows must be an Iterable, not the int 5"), ("abc", "row 1 must be a Mapping, not the str 'a'"),
    ([{"a": 1}, [2]], "row 2 must be a Mapping, not the list .2.: a dict from column to cell"),
    ([{}], "at least one row and one column"), ([{1: 2}], "the name of a column must be a str, not the int 1")])
def test_what_makes_no_table_is_refused(rows, message):
    with pytest.raises(InvalidInput, match=message):
        table(rows)


@pytest.mark.parametrize(("columns", "rows", "message"), [
    (("a", "b"), ((1,),), "Row 1 has 1 cells, but there are 2 columns: a, b"),
    (("a",), ((1,), (1, 2)), "Row 2 has 2 cells, but there are 1 columns"),
    ("ab", ((1, 2),), "columns of a table must be a tuple, not the str 'ab'"),
    (("a",), None, "rows of a table must be a tuple, not None"), (("a",), (1,), "row 1 must be a tuple"),
    (("a",), (), "at least one row"), ((), ((),), "one column"), ((1,), ((1,),), "must be a str")])
def test_a_table_has_one_cell_for_each_column(columns, rows, message):
    with pytest.raises(InvalidInput, match=message):
        Table(columns, rows)
