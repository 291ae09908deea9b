"""JSON documents with anything in any place: what a provider might send on a bad day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st


def anything(names: Sequence[str], words: Sequence[str]) -> st.SearchStrategy[Any]:
    return st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.sampled_from(words)
        | st.text(max_size=300),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(names), inner, max_size=6)
        ),
        max_leaves=40,
    )


def spoilt(document: Any, instead: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """The document, mostly whole."""
    if isinstance(document, dict):
        whole: st.SearchStrategy[Any] = st.fixed_dictionaries(
            {name: spoilt(value, instead) for name, value in document.items()}
        )
    elif isinstance(document, list):
        whole = st.tuples(*(spoilt(each, instead) for each in document)).map(list)
    else:
        whole = st.just(document)
    return st.one_of(*[whole] * 7, instead)


def names_of(document: Any) -> set[str]:
    if isinstance(document, dict):
        return set(document).union(*map(names_of, document.values()))
    return set().union(*map(names_of, document)) if isinstance(document, list) else set()
