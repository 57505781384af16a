"""A server on this machine that speaks like a provider of language models, as it is told to."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

GOOD = '[{"question": "When does the shop open?", "answer": "The shop opens at nine."}]'


@dataclass
class Script:
    """What it answers: each a text, (status, headers, body) or "endless"; the last for ever."""

    replies: list
    asked: list = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self, request):
        with self.lock:
            self.asked.append(request)
            return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


@contextmanager
def provider(*replies):
    """Yield the address of a server, and its script."""
    script = Script(list(replies))

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            reply = script.next({"path": self.path, "headers": dict(self.headers), "body": body})
            if reply == "endless":
                self._endless()
                return
            status, headers, said = reply if isinstance(reply, tuple) else (200, {}, reply)
            if status == 200 and not isinstance(said, bytes):
                said = json.dumps(wrapped(self.path, said)).encode()
            elif not isinstance(said, bytes):
                said = json.dumps({"error": {"message": said}}).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(said)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said)

        def _endless(self):
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(10 << 30))
            self.end_headers()
            with suppress(OSError):
                for _ in range(10 << 10):
                    self.wfile.write(b" " * (1 << 20))

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", script
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def wrapped(path, said):
    """Return a text as OpenAI or Anthropic would send it; (text, "length") was cut."""
    text, finish = said if isinstance(said, tuple) else (said, "")
    if path.endswith("/messages"):
        return {
            "id": "1",
            "type": "message",
            "role": "assistant",
            "model": "m",
            "content": [{"type": "text", "text": text}],
            "stop_reason": "max_tokens" if finish else "end_turn",
            "usage": {"input_tokens": 100, "output_tokens": 20},
        }
    message = {"role": "assistant", "content": text}
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": finish or "stop"}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }
