"""mkdocs hook: pages may link files of the repository; the site carries each linked file as a page of its own.

In the tree such a link (`../edge/src/...`) opens the file. The site has no tree beside it, so a page `source/...` is
made for every linked file and the link is led there. A link to nothing is left alone: mkdocs --strict reports it.
"""

import os
import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"\]\(((?:\.\./)+[^)\s#]+)")
LANGUAGES = {".py": "python", ".toml": "toml", ".yaml": "yaml", ".cddl": "text", ".md": "markdown"}


def outside(target: str, page: str) -> str | None:
    """The repository path that a link on `page` (a path below docs/) leads to, if that lies outside docs/."""
    path = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page), target))
    return None if path.startswith(("docs/", "..")) or not (ROOT / path).is_file() else path


def source_page(path: str) -> str:
    """Where the site carries the file `path`."""
    return f"source/{path}.md"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for every file that some page links."""
    linked = set()
    for file in files.documentation_pages():
        targets = LINK.findall(file.content_string)
        linked |= {path for target in targets if (path := outside(target, file.src_uri))}
    for path in sorted(linked):
        language = LANGUAGES.get(Path(path).suffix, "text")
        text = (ROOT / path).read_text("utf-8")
        body = f"# {path}\n\n`````{language}\n{text}\n`````\n"
        files.append(File.generated(config, source_page(path), content=body))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Lead links out of docs/ to the pages made above."""
    here = posixpath.dirname(page.file.src_uri)

    def led(match: re.Match[str]) -> str:
        path = outside(match[1], page.file.src_uri)
        if path is None or page.file.src_uri.startswith("source/"):
            return match[0]
        return "](" + os.path.relpath(source_page(path), here or ".")

    return LINK.sub(led, markdown)
