"""Turns the configuration under `infra/` into files of one stack: only ports, paths and passwords differ."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from stack.context import LOOPBACK, Context
from stack.credentials import OWNER_ONLY
from stack.settings import ROOT

TEMPLATES = ROOT / "infra"


def render(context: Context, template: str, target: Path, **values: object) -> Path:
    """Write a template of `infra/` to `target` (mode 0600) when its content changed; return `target`.

    Args:
        context: the stack; templates see it as `settings`, `paths` and `credentials`.
        template: path of the template below `infra/`.
        target: file to write.
        values: what else the template names; a name that is missing is an error.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - configuration files, not HTML
    )
    text = environment.get_template(template).render(
        settings=context.settings,
        paths=context.paths,
        credentials=context.credentials,
        loopback=LOOPBACK,
        **values,
    )
    return put(context, target, text)


def put(context: Context, target: Path, text: str) -> Path:
    """Write a file of the stack as `write_private` does, where the context may; return `target`."""
    if not context.only_looks:
        write_private(target, text)
    return target


def write_private(target: Path, text: str) -> None:
    """Write a file that only its owner reads; an unchanged one is left alone."""
    if target.exists() and target.read_text() == text:
        return
    draft = target.with_name(f"{target.name}.new")
    draft.touch(mode=OWNER_ONLY)
    draft.chmod(OWNER_ONLY)
    draft.write_text(text)
    draft.replace(target)
