"""The page /docs: the OpenAPI description as plain HTML, made on the server, without a script."""

import json
from importlib import resources
from typing import Any
from urllib.parse import quote

import jinja2

EXAMPLES = {"q": "two dogs in snow", "k": "10", "rerank": "0", "image_id": "folder/photo.jpg"}


def docs_html(openapi: dict[str, Any]) -> str:
    """The page of an API description as ``FastAPI.openapi`` gives it."""
    template = resources.files("vldeformer.serve").joinpath("page", "docs.html").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    operations = [
        {
            "method": method.upper(),
            "path": path,
            "summary": operation["summary"],
            "parameters": [_parameter(one) for one in operation.get("parameters", [])],
            "form": operation.get("requestBody", {}).get("content", {}),
            "answers": [(status, one["description"], _answer(one)) for status, one in operation["responses"].items()],
            "curl": _curl(method, path, operation),
        }
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    ]
    types = [
        (name, schema.get("description", ""), [_field(key, value) for key, value in schema["properties"].items()])
        for name, schema in openapi["components"]["schemas"].items()
    ]
    info = openapi["info"]
    return environment.from_string(template).render(info=info, operations=operations, types=types)


def _parameter(given: dict[str, Any]) -> dict[str, str]:
    schema = given["schema"]
    bounds = [f"{word} {schema[key]}" for key, word in BOUNDS.items() if key in schema]
    default = [f"default {json.dumps(schema['default'])}"] if "default" in schema else []
    return {
        "name": given["name"],
        "kind": ", ".join([schema["type"], *bounds, *default]),
        "required": "needed" if given["required"] else "",
        "meaning": given.get("description", ""),
    }


BOUNDS = {"minimum": "at least", "maximum": "at most", "maxLength": "at most (characters)"}


def _field(name: str, schema: dict[str, Any]) -> tuple[str, str, str]:
    return name, _type(schema), schema.get("description", "")


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[-1])
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    return f"list of {_type(schema['items'])}" if schema.get("type") == "array" else str(schema["type"])


def _answer(response: dict[str, Any]) -> str:
    """Its type, as a name of the page or a media type."""
    for kind, content in response.get("content", {}).items():
        return _type(content["schema"]) if content.get("schema") else kind
    return ""


def _curl(method: str, path: str, operation: dict[str, Any]) -> str:
    given, fields = path, []
    for one in operation.get("parameters", []):
        value = EXAMPLES[one["name"]]
        if one["in"] == "path":
            given = given.replace(f"{{{one['name']}}}", quote(value))
        else:
            fields.append(f"{one['name']}={quote(value)}")
    url = "http://localhost:8000" + given + ("?" + "&".join(fields) if fields else "")
    return f"curl -F file=@photo.jpg '{url}'" if method == "post" else f"curl '{url}'"
