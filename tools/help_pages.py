"""The pages of docs/ that come with the extension, as a browser shows them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import markdown

PROJECT = Path(__file__).resolve().parent.parent
PAGES = ("manual", "cost-and-security", "security")

FRAME = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ max-width: 46rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 sans-serif;
  color: #222; background: #fff }}
h1, h2 {{ line-height: 1.2; margin-top: 2rem }}
img {{ max-width: 100% }}
table {{ border-collapse: collapse }}
td, th {{ padding: .3rem .6rem; border: 1px solid #bbb; text-align: left; vertical-align: top }}
code, pre {{ background: #f2f2f2 }}
pre {{ padding: .6rem; overflow-x: auto }}
@media (prefers-color-scheme: dark) {{
  body {{ color: #ddd; background: #222 }} code, pre {{ background: #333 }} a {{ color: #8cf }}
}}
</style>
{body}
</html>
"""


def write(folder: Path, website: str) -> None:
    """Write the pages and their pictures.

    website: where other files of the project are read; without one they are named only.
    """
    folder.mkdir()
    for name in PAGES:
        text = (PROJECT / "docs" / f"{name}.md").read_text(encoding="utf-8")
        for picture in re.findall(r"!\[[^]]*\]\(([\w-]+\.png)\)", text):
            shutil.copy(PROJECT / "docs" / picture, folder)
        body = markdown.markdown(text, extensions=["tables", "fenced_code"])
        body = re.sub(r'<a href="([^":]+)">(.*?)</a>', lambda link: _link(link, website), body)
        title = text.partition("\n")[0].removeprefix("# ")
        page = FRAME.format(title=title, body=body)
        (folder / f"{name}.html").write_text(page, encoding="utf-8")


def _link(link: re.Match[str], website: str) -> str:
    """A link to another page, or to a file that is not among them."""
    target, text = link[1], link[2]
    path, mark, place = target.partition("#")
    page = path.removesuffix(".md")
    if page in PAGES:
        return f'<a href="{page}.html{mark}{place}">{text}</a>'
    if not path:
        return link[0]
    if not website:
        return text
    inside = (PROJECT / "docs" / path).resolve().relative_to(PROJECT)
    return f'<a href="{website}/blob/main/{inside.as_posix()}">{text}</a>'
