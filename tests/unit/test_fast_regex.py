"""The automata of FAST_REGEX_LOG_PARSE against Python's regular expressions, and its searches one by one."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamsql.functions.log.automaton import MAX_STATES, Automaton, both, numbers, repeated, split
from streamsql.functions.log.fast_regex import MAX_TIMES, compile_fast

TEXTS = st.text("ab_1", max_size=12)


@st.composite
def patterns(draw: st.DrawFn, depth: int = 3) -> str:
    """Patterns that mean the same in both syntaxes."""
    if depth == 0:
        return draw(st.sampled_from(["a", "b", "_", "1", ".", "[ab]", "[^a]", "[a-b_]", "(a|b_)", "(ab|ba)"]))
    inner = [draw(patterns(depth=depth - 1)) for _ in range(draw(st.integers(1, 3)))]
    if draw(st.booleans()):
        return f"({'|'.join(inner)}){draw(st.sampled_from(['', '?', '*', '+', '{2}', '{1,}', '{0,2}']))}"
    return "".join(inner)


def automaton(pattern: str) -> Automaton:
    (search,) = compile_fast(f"({pattern})")._searches
    return search


def ends(pattern: str, text: str, start: int) -> list[int]:
    """Where the stretches of a text that fit end, as Python sees it."""
    compiled = re.compile(pattern, re.DOTALL)
    return [end for end in range(start, len(text) + 1) if compiled.fullmatch(text, start, end)]


@settings(max_examples=300, deadline=None)
@given(pattern=patterns(), text=TEXTS, start=st.integers(0, 3))
def test_an_automaton_agrees_with_python(pattern: str, text: str, start: int) -> None:
    start = min(start, len(text))
    search, wanted = automaton(pattern), ends(pattern, text, start)
    assert search.whole(text, start) == (len(text) in wanted)
    assert search.shortest(text, start) == (min(wanted) if wanted else None)
    assert search.longest(text, start) == (max(wanted) if wanted else None)


@settings(max_examples=200, deadline=None)
@given(one=patterns(depth=2), other=patterns(depth=2), text=TEXTS)
def test_both_is_what_fits_one_and_the_other(one: str, other: str, text: str) -> None:
    sides = [automaton(pattern)._start for pattern in (one, other)]
    fits = re.fullmatch(one, text, re.DOTALL) is not None and re.fullmatch(other, text, re.DOTALL) is not None
    assert Automaton(both(sides)).whole(text, 0) == fits
    assert compile_fast(f"(({one})&({other}))").match(text) == ([text] if fits else None)


@settings(max_examples=200, deadline=None)
@given(pattern=patterns(), text=TEXTS)
def test_a_split_pattern_is_the_same_pattern(pattern: str, text: str) -> None:
    fixed, length, rest = split(automaton(pattern)._start)
    fits = len(text) >= length and Automaton(fixed).whole(text[:length], 0) and Automaton(rest).whole(text, length)
    assert fits == automaton(pattern).whole(text, 0)


@settings(max_examples=200, deadline=None)
@given(low=st.integers(0, 1200), size=st.integers(0, 1200), number=st.integers(0, 2600), zeros=st.integers(0, 2))
def test_intervals_of_numbers(low: int, size: int, number: int, zeros: int) -> None:
    text = "0" * zeros + str(number)
    assert Automaton(numbers(low, low + size)).whole(text, 0) == (low <= number <= low + size)
    width = len(str(low + size))
    padded = compile_fast(f"(<{low:0{width}}-{low + size}>)").match(f"{number:0{width}}")
    assert (padded is not None) == (low <= number <= low + size)


@pytest.mark.parametrize(
    ("pattern", "text", "fields"),
    [
        ("(.*)=(.*)", "a=b=c", ["a", "b=c"]),
        ("(.*) (.*)", "a", None),
        ("(a*)(b*)", "aabb", ["aa", "bb"]),
        ("(a*)(a)", "aaa", ["aa", "a"]),  # the last of them is what the first search looks for
        ("(a*)(a+)", "aaa", ["", "aaa"]),  # which takes the least
        ("(a*)(b|a.*)", "aaa", None),  # the first group has nothing to look for, takes all and gives none back
        ('"[" (@) "]"', "[x] y]", None),  # blanks are characters too
        ('"["(@)"]"', "[x] y]", ["x] y"]),
        ("(<Digit>+)-(<Alpha>{2})\\.", "17-ab.", ["17", "ab"]),
        ("(()a)", "a", ["a"]),
        ("(a#)", "a", None),
        ("([-+]?<0-255>)", "+007", ["+007"]),
        ("(.*)\n(.*)", "a\nb", ["a", "b"]),
        ("x(.)", "x\U0001f600", ["\U0001f600"]),
        ("(<Space>)(<Punct>)(<Blank>)", "\f~\t", ["\f", "~", "\t"]),
        ("(a|b)+-(.*)", "abba-x", ["abba", "x"]),
    ],
)
def test_searches(pattern: str, text: str, fields: list[str] | None) -> None:
    assert compile_fast(pattern).match(text) == fields


def test_states_that_are_too_many_are_found_anew() -> None:
    """This automaton has a state for each set of places of an `a` among the last 20 characters."""
    fast = compile_fast("(.*a.{20})c(.*)")
    text = "".join(random.Random(7).choices("ab", k=6_000)) + "a" + "b" * 20
    assert fast.match(text + "cd") == [text, "d"]
    assert fast.match(text) is None
    assert len(fast._searches[0]._nodes) <= MAX_STATES


def test_repetitions_have_their_limits() -> None:
    for pattern in ("(a" + "?+" * MAX_TIMES + ")", "(" * 60 + "a" + ")" * 60, "((a{100}){100}b)", "(a{3,2})"):
        with pytest.raises(ValueError):
            compile_fast(pattern)
    assert repeated(automaton("a")._start, 0, 0) == automaton("b{0}")._start
