"""Write a template of `dvc plots` whose page needs no network: the scripts that DVC would load from the net are inside it.

    python workflow/plots_template.py .dvc/tmp/plots.html
    dvc plots show --html-template .dvc/tmp/plots.html

Vega, Vega-Lite and Vega-Embed are those that Snakemake packs into its own report.
"""

import sys
from importlib import resources
from pathlib import Path

SCRIPTS = ("vega", "vega-lite", "vega-embed")
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
{refresh_tag}
<title>DVC plots</title>
%s
<style>body {font-family: sans-serif} table {border-spacing: 15px}</style>
</head>
<body>
{plot_divs}
</body>
</html>
"""


def template() -> str:
    """The page with DVC's placeholders, but for `{scripts}`, where DVC would put addresses of a CDN."""
    assets = resources.files("snakemake") / "assets" / "data"
    texts = [(assets / name / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS]
    return PAGE % "\n".join(f"<script>\n{text}\n</script>" for text in texts)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: plots_template.py FILE")
    out = Path(sys.argv[1])
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(template(), encoding="utf-8")
