"""What a user reads when something goes wrong, and the exit code that decides on a retry."""

import errno

import pytest

from virshort.errors import InputError, NetworkError, nearest, run


def test_an_unknown_word_gets_the_one_it_resembles_and_all_known_ones():
    assert nearest("Viral", ("nonviral", "viral")) == "did you mean viral? It can be nonviral, viral"
    assert nearest("host", ("nonviral", "viral")) == "it can be nonviral, viral"


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InputError("a.fa: is\nempty"), 1, "virshort: a.fa: is empty\n"),
        (NetworkError("no answer"), 104, "virshort: no answer\n"),
        (MemoryError(), 137, "virshort: out of memory: give the process more (see docs/usage.md, resources)\n"),
        (
            OSError(errno.ENOSPC, "No space left on device", "x/y"),
            74,
            "virshort: no space left on the disk that holds x/y: free some, then run again with -resume\n",
        ),
    ],
)
def test_errors_that_a_user_can_act_on_are_one_line_and_an_exit_code(capsys, error, code, line):
    def main() -> None:
        raise error

    with pytest.raises(SystemExit) as e:
        run(main)
    assert (e.value.code, capsys.readouterr().err) == (code, line)


@pytest.mark.parametrize("error", [ValueError("a bug"), OSError(errno.EIO, "Input/output error")])
def test_a_bug_keeps_its_traceback(error):
    def main() -> None:
        raise error

    with pytest.raises(type(error)):
        run(main)
