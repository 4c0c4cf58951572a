"""How the prompt edits, colours and completes: prompt_toolkit's side of the lexer, the grammar and the catalog.

Everything that needs the parser is imported at its first use: the prompt is there before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter, get_common_complete_suffix
from prompt_toolkit.document import Document
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import completion_is_selected, has_focus
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.lexers import Lexer
from prompt_toolkit.styles import Style

if TYPE_CHECKING:
    from streamsql.repl.access import Access

STYLE = Style.from_dict(
    {
        "prompt": "bold",
        "continuation": "#888888",
        "keyword": "#0087ff",
        "string": "#00af5f",
        "quoted_name": "#d7875f",
        "number": "#af87d7",
        "comment": "italic #888888",
        "command": "#00afaf",
        "auto-suggestion": "#666666",
        "bottom-toolbar": "noreverse bg:#303030 #bcbcbc",
        "bottom-toolbar.errors": "bold #ff8787",
        "completion-menu.meta.completion": "bg:#444444 #bcbcbc",
    }
)

LONG = 2_000
"""In a statement of more characters completions come when Tab asks for them: each key would parse all of it."""

_IN_WORD = re.compile(r'[^\W\d][\w$]*$|"[^"]*$|\.$')

Loaded = Callable[[], "Access | None"]
"""The connection's contents once there are any."""


class SqlLexer(Lexer):
    """Colours by the lexer that parses."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded

    def invalidation_hash(self) -> bool:
        return self._loaded() is not None

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        if self._loaded() is None:
            plain: list[StyleAndTextTuples] = [[("", line)] for line in document.lines]
            return lambda number: plain[number] if number < len(plain) else []
        lines = _coloured(document.text)
        return lambda number: lines[number] if number < len(lines) else []


def _coloured(text: str) -> list[StyleAndTextTuples]:
    """The lines of a text in coloured pieces."""
    from streamsql.repl.scripts import is_command
    from streamsql.sql.parser import highlight

    if is_command(text):
        return [[("class:command", line)] for line in text.split("\n")]
    lines: list[StyleAndTextTuples] = [[]]

    def add(style: str, piece: str) -> None:
        for number, part in enumerate(piece.split("\n")):
            if number:
                lines.append([])
            if part:
                lines[-1].append((style, part))

    at = 0
    for start, end, kind in highlight(text):
        add("", text[at:start])
        add(f"class:{kind}", text[start:end])
        at = end
    add("", text[at:])
    return lines


class SqlCompleter(Completer):
    """Completes statements by the grammar and the catalog, commands by their table."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        access = self._loaded()
        if access is None:
            return
        from streamsql.display.completion import suggestions
        from streamsql.repl.scripts import is_command

        if is_command(document.text):
            yield from _command_completions(document, complete_event, access)
            return
        in_word = len(document.text) <= LONG and _IN_WORD.search(document.current_line_before_cursor)
        if not (complete_event.completion_requested or in_word):
            return
        for each in suggestions(document.text, document.cursor_position, access.catalog):
            yield Completion(each.text, -each.replaces, display_meta=each.detail or each.kind)


def _command_completions(document: Document, event: CompleteEvent, access: Access) -> Iterable[Completion]:
    from streamsql.repl.commands import COMMANDS, argument_completions

    line = document.current_line_before_cursor.lstrip()
    name, blank, argument = line.partition(" ")
    if not blank:
        for command in COMMANDS:
            for each in command.names:
                if each.startswith(name):
                    yield Completion(each, -len(name), display_meta=command.help)
        return
    known = next((command for command in COMMANDS if name in command.names), None)
    if known is None:
        return
    if known.completes == "file":
        yield from PathCompleter(expanduser=True).get_completions(Document(argument), event)
        return
    for text in argument_completions(known, argument, access):
        last = argument.rpartition(" ")[2]
        if text.upper().startswith(last.upper()):
            yield Completion(text, -len(last))


def bindings(is_ready: Callable[[str], bool]) -> KeyBindings:
    """Enter runs what is complete, and begins a new line elsewhere; Tab completes; Ctrl-C clears what was typed."""
    keys = KeyBindings()
    typing = has_focus(DEFAULT_BUFFER)

    @keys.add("enter", filter=typing & ~completion_is_selected)
    def _enter(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if is_ready(buffer.text):
            buffer.validate_and_handle()
        else:
            buffer.newline(copy_margin=True)

    @keys.add("enter", filter=typing & completion_is_selected)
    def _take_completion(event: KeyPressEvent) -> None:
        event.current_buffer.complete_state = None

    @keys.add("tab", filter=typing)
    def _complete(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        state = buffer.complete_state
        if state is not None and len(state.completions) > 1:
            buffer.complete_next()
            return
        found = list(buffer.completer.get_completions(buffer.document, CompleteEvent(completion_requested=True)))
        if len(found) == 1:
            buffer.apply_completion(found[0])
        elif found:
            buffer.insert_text(get_common_complete_suffix(buffer.document, found))
            buffer.start_completion()

    @keys.add("escape", "enter", filter=typing)
    def _run_anyway(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    @keys.add("c-c", filter=typing)
    def _clear(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        buffer.save_to_undo_stack()
        buffer.document = Document()

    @keys.add(Keys.Vt100MouseEvent)
    def _no_mouse(event: KeyPressEvent) -> None:
        """Nothing: the mouse is the terminal's, and what looks like it in pasted bytes may be anything."""

    return keys
