import pytest

from llmsizing import InvalidInput, table


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
