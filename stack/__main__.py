"""`python -m stack`: the verbs of the Makefile."""

from stack.cli import main

main()
