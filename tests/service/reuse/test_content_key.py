"""When two items have the same result."""

from hypothesis import given
from hypothesis import strategies as st

from coverslip.service.reuse.rules import KnownInput, content_key

text = st.text(max_size=8)
known = st.builds(KnownInput, text, text, text, st.dictionaries(text, st.integers() | text, max_size=3))
inputs = st.lists(known, max_size=3, unique_by=lambda each: each.name)


@given(text, text, inputs)
def test_the_order_of_inputs_does_not_matter(application: str, version: str, given_inputs: list[KnownInput]) -> None:
    assert content_key(application, version, given_inputs) == content_key(application, version, given_inputs[::-1])


@given(st.tuples(text, text, inputs), st.tuples(text, text, inputs))
def test_other_content_has_another_key(
    one: tuple[str, str, list[KnownInput]], other: tuple[str, str, list[KnownInput]]
) -> None:
    def ordered(item: tuple[str, str, list[KnownInput]]) -> tuple[object, ...]:
        return (*item[:2], sorted(item[2], key=lambda each: each.name))

    assert (content_key(*one) == content_key(*other)) == (ordered(one) == ordered(other))
