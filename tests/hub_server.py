"""As much of the Hugging Face hub as a model needs to be pushed and loaded, on this machine: repositories in memory."""

import base64
import contextlib
import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit


@dataclass
class Hub:
    """tokens: token → the names that it may write under; repositories: id → path → bytes; asked: (method, path) of requests."""

    tokens: dict = field(default_factory=lambda: {"good": {"me"}})
    repositories: dict = field(default_factory=dict)
    private: set = field(default_factory=set)
    objects: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)
    refused_cards: list = field(default_factory=list)
    url: str = ""

    def commit(self, repo_id):
        """Name of the newest revision: of the content."""
        return hashlib.sha1(repr(sorted(self.repositories[repo_id].items())).encode()).hexdigest()


def _answer(hub, method, path, token, body):
    """Status, headers and bytes of an answer."""
    parts = path.strip("/").split("/")
    if parts[:2] == ["api", "repos"]:
        return _create(hub, token, json.loads(body))
    if parts[:2] == ["api", "validate-yaml"]:
        content = json.loads(body)["content"]
        errors = [{"message": "no metadata"}] if not content.startswith("---\n") else []
        hub.refused_cards += errors
        return _json({"errors": errors, "warnings": []}, 400 if errors else 200)
    if parts[0] == "lfs":
        assert hashlib.sha256(body).hexdigest() == parts[1]
        hub.objects[parts[1]] = body
        return _json({})
    repo_id = "/".join(parts[2:4] if parts[0] == "api" else parts[:2]).removesuffix(".git")
    if repo_id not in hub.repositories or (repo_id in hub.private and not _may(hub, token, repo_id)):
        return 404 if token in hub.tokens else 401, {"X-Error-Code": "RepoNotFound"}, b""
    files = hub.repositories[repo_id]
    if parts[2] == "resolve":
        name, commit = "/".join(parts[4:]), hub.commit(repo_id)
        if name not in files:
            return 404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit}, b""
        etag = hashlib.sha256(files[name]).hexdigest()
        return 200, {"X-Repo-Commit": commit, "ETag": f'"{etag}"'}, files[name]
    if method == "GET" and "tree" in parts:
        return _json([{"type": "file", "path": name, "size": len(data), "oid": "0" * 40} for name, data in files.items()])
    if method == "GET":
        listed = [{"rfilename": name} for name in files]
        told = {"id": repo_id, "sha": hub.commit(repo_id), "siblings": listed, "tags": []}
        return _json(told | {"private": repo_id in hub.private})
    if not _may(hub, token, repo_id):
        return _json({"error": "Forbidden"}, 403)
    if "preupload" in parts:
        names = [item["path"] for item in json.loads(body)["files"]]
        modes = {name: "lfs" if name.endswith((".safetensors", ".npz")) else "regular" for name in names}
        return _json({"files": [{"path": name, "uploadMode": mode, "shouldIgnore": False} for name, mode in modes.items()]})
    if "lfs" in parts:
        wanted = json.loads(body)["objects"]
        action = {item["oid"]: {"upload": {"href": f"{hub.url}/lfs/{item['oid']}"}} for item in wanted}
        return _json({"transfer": "basic", "objects": [item | {"actions": action[item["oid"]]} for item in wanted]})
    assert "commit" in parts
    _apply(hub, files, [json.loads(line) for line in body.splitlines()])
    commit = hub.commit(repo_id)
    return _json({"commitUrl": f"{hub.url}/{repo_id}/commit/{commit}", "commitOid": commit, "success": True})


def _may(hub, token, repo_id):
    return repo_id.partition("/")[0] in hub.tokens.get(token, ())


def _create(hub, token, wanted):
    if token not in hub.tokens:
        return _json({"error": "Invalid username or password."}, 401)
    repo_id = f"{wanted['organization']}/{wanted['name']}"
    if not _may(hub, token, repo_id):
        return _json({"error": "You don't have the rights to create a model under this namespace"}, 403)
    if repo_id in hub.repositories:
        return _json({"error": "You already created this model repo", "url": f"{hub.url}/{repo_id}"}, 409)
    hub.repositories[repo_id] = {}
    if wanted.get("visibility") == "private" or wanted.get("private"):
        hub.private.add(repo_id)
    return _json({"url": f"{hub.url}/{repo_id}"})


def _apply(hub, files, lines):
    for line in lines:
        value = line["value"]
        match line["key"]:
            case "file":
                files[value["path"]] = base64.b64decode(value["content"])
            case "lfsFile":
                files[value["path"]] = hub.objects[value["oid"]]
            case "deletedFile":
                del files[value["path"]]


def _json(value, status=200):
    return status, {"Content-Type": "application/json"}, json.dumps(value).encode()


@contextlib.contextmanager
def running_hub():
    """A hub that answers until the block ends."""
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self):
            path = unquote(urlsplit(self.path).path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Transfer-Encoding") == "chunked":
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
            hub.asked.append((self.command, path))
            token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
            status, headers, content = _answer(hub, self.command, path, token, body)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_HEAD = do_POST = do_PUT = _any  # noqa: N815

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
