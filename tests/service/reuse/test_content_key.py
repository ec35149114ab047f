"""When two items have the same result."""

from hypothesis import given
from hypothesis import strategies as st

from coverslip.service.reuse.rules import KnownInput, content_key

text = st.text(max_size=8)
known = st.builds(KnownInput, text, text, text, st.dictionaries(text, st.integers() | text, max_size=3))
inputs = st.lists(known, max_size=3, unique_by=lambda each: each.name)


models = st.dictionaries(text, text, max_size=2)
items = st.tuples(text, text, inputs, models)
Item = tuple[str, str, list[KnownInput], dict[str, str]]


@given(items)
def test_the_order_of_inputs_does_not_matter(item: Item) -> None:
    application, version, given_inputs, chosen = item
    assert content_key(*item) == content_key(application, version, given_inputs[::-1], chosen)


@given(items, items)
def test_other_content_has_another_key(one: Item, other: Item) -> None:
    def ordered(item: Item) -> tuple[object, ...]:
        return (*item[:2], sorted(item[2], key=lambda each: each.name), item[3])

    assert (content_key(*one) == content_key(*other)) == (ordered(one) == ordered(other))
