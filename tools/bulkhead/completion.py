# SPDX-License-Identifier: BSD-2-Clause
"""./bulkhead completion: what completes its words in bash, made of the parsers."""

import argparse
import importlib
import shlex

from bulkhead import devices
from bulkhead.__main__ import COMMANDS

# What a value is by the name that help gives it; other values are the user's own words.
BY_METAVAR = {"FILE": "files", "DIR": "folders", "SPEC": "devices", "SUITE": "suites"}
# Commands whose words are payloads: files or names of examples.
WITH_PAYLOAD = ("run", "image")

DESCRIPTION = """Prints the completion of commands, options, devices and examples for bash: `. <(./bulkhead completion)`, in
~/.bashrc for good. An installation has it where bash finds it by itself."""

HEAD = r"""# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Made by ./bulkhead completion.

# The names of the examples that this bulkhead has.
_bulkhead_examples() {
    local file top
    top=$(dirname "$(readlink -f "$(type -P "${1/#\~/$HOME}")")") || return
    for file in "$top"/examples/*/example.conf; do
        [ ! -e "$file" ] || basename "$(dirname "$file")"
    done
}

_bulkhead() {
    local command=${COMP_WORDS[1]} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} kind words i
    if [ "$word" = "=" ]; then # bash makes a word of its own of it
        word=""
    elif [ "$before" = "=" ]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    kind="" words=""
    for ((i = 2; i < COMP_CWORD; i++)); do
        [ "${COMP_WORDS[i]}" != -- ] || kind=files # they are the payload's
    done
    if [ "$COMP_CWORD" = 1 ]; then
        kind=words words=%COMMANDS%
    elif [ -z "$kind" ]; then
        case "$command $before" in
"""

TAIL = r"""
        esac
    fi
    case $kind in
    words) mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word") ;;
    payload) mapfile -t COMPREPLY < <(compgen -W "$(_bulkhead_examples "$1")" -- "$word"; compgen -f -- "$word") ;;
    folders) mapfile -t COMPREPLY < <(compgen -d -- "$word") ;;
    files) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    *) COMPREPLY=() ;;
    esac
    [ "$kind" = words ] || compopt -o filenames 2>/dev/null || true
}

complete -F _bulkhead bulkhead ./bulkhead
"""


def actions(name):
    """What the parser of a command takes and tells of in its help."""
    module = importlib.import_module(COMMANDS[name][0])
    if not hasattr(module, "parser"):
        return []
    return [action for action in module.parser()._actions if action.help is not argparse.SUPPRESS]


def kind_of(action, command):
    """(kind, words) of an option's value."""
    if action.choices:
        return "words", " ".join(action.choices)
    kind = BY_METAVAR.get(action.metavar, "own")
    if kind == "devices":
        return "words", " ".join(devices.IDS if command == "image" else [*devices.PRESETS, "help"])
    return kind, ""


def rows():
    """The cases: (pattern, kind, words)."""
    for name in COMMANDS:
        known = actions(name)
        for action in known:
            if action.option_strings and action.nargs != 0:
                yield "|".join(f'"{name} {option}"' for option in action.option_strings), *kind_of(action, name)
        options = sorted(option for action in known for option in action.option_strings)
        if options:
            yield f'"{name} "*', "options", " ".join(options)
        yield f'"{name} "*', "rest", rest_of(name)


def rest_of(name):
    if name in WITH_PAYLOAD:
        return "payload"
    if name == "path":
        return " ".join(importlib.import_module("bulkhead.path").FOLDERS)
    if name == "new":
        return "folders"
    if name == "test":
        return " ".join(importlib.import_module("bulkhead.test").SUITES)
    return "" if name in ("devices", "clean", "completion", "doctor") else "files"


def cases():
    """The text of the cases. Options come when a word begins with a dash, what else stands there otherwise."""
    options = None
    for pattern, kind, words in rows():
        if kind == "options":
            options = words
        elif kind == "rest":
            rest = f"kind=words words={shlex.quote(words)}" if " " in words else f'kind="{words}"'
            yield f'        {pattern}) if [ "${{word#-}}" != "$word" ]; then kind=words words={shlex.quote(options or "")}; else {rest}; fi ;;'
            options = None
        else:
            yield f"        {pattern}) kind={kind} words={shlex.quote(words)} ;;"


def text():
    names = shlex.quote(" ".join([*COMMANDS, "help", "--version"]))
    return HEAD.replace("%COMMANDS%", names) + "\n".join(cases()) + TAIL


def parser():
    return argparse.ArgumentParser(prog="./bulkhead completion", description=DESCRIPTION, allow_abbrev=False)


def main(arguments):
    parser().parse_args(arguments)
    print(text(), end="")
    return 0
