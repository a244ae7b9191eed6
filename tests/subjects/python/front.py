"""JSON over HTTP/1.1 as the A2A fleet speaks it, for receiver.py and client.py: framing, limits and bearer, nothing of A2A itself.

Every answer is JSON. What is left of a refused body is read and dropped, so that it is never taken for the next request.
"""
import hmac, json, re, socket, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MAX_BODY = 1 << 20


def refuses(authorization, bearer):
    """What is wrong with the Authorization that was shown, None when nothing is. Without a bearer everyone may enter."""
    scheme, _, shown = (authorization or "").partition(" ")
    if bearer and not (scheme.lower() == "bearer" and shown.strip()):
        return "missing bearer token"
    right = not bearer or hmac.compare_digest(shown.strip().encode("latin-1"), bearer.encode())
    return None if right else "invalid bearer token"


class Front(ThreadingHTTPServer):
    """Listens at once, serves when told to: `pages` says what a GET of a path shows, `call` answers the body of a POST."""
    daemon_threads, request_queue_size = True, 128

    def __init__(self, address, path, refuses, call, pages):
        self.path, self.refuses, self.call, self.pages = path, refuses, call, pages
        super().__init__(address, Handler)

    def server_bind(self):  # the original looks the host's name up, and may wait for it
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def shutdown_request(self, request):
        """Let the answer arrive before bytes that nobody read make the kernel reset the connection."""
        try:
            request.shutdown(socket.SHUT_WR)
            request.settimeout(1)
            for _ in range(64):
                if not request.recv(1 << 16):
                    break
        except OSError:
            pass
        self.close_request(request)

    def handle_error(self, request, client_address):
        print(f"a connection broke: {sys.exc_info()[0].__name__}", file=sys.stderr, flush=True)


class Handler(BaseHTTPRequestHandler):
    protocol_version, timeout = "HTTP/1.1", 20

    def handle_one_request(self):
        self.body_is_read = False
        super().handle_one_request()
        try:
            if not self.close_connection and not self.body_is_read:
                self.read_body()
        except (ValueError, OverflowError, OSError):
            self.close_connection = True

    def do_GET(self):
        page = self.server.pages(self.path)
        self.answer(200 if page else 404, page or {"error": "not found"})

    def do_POST(self):
        if self.path != self.server.path:
            return self.answer(404, {"error": "not found"})
        refused = self.server.refuses(self.headers.get("Authorization"))
        if refused:
            return self.answer(401, {"error": refused})
        try:
            return self.answer(200, self.server.call(self.read_body()))
        except RecursionError:  # an id that is too deep to be said again
            error = {"code": -32603, "message": "this cannot be answered"}
            return self.answer(200, {"jsonrpc": "2.0", "id": None, "error": error})
        except OverflowError:
            return self.answer(413, {"error": "request entity too large"}, close=True)
        except ValueError:
            error = {"code": -32600, "message": "invalid Content-Length"}
            return self.answer(200, {"jsonrpc": "2.0", "id": None, "error": error}, close=True)

    def read_body(self):
        """The body of this request. OverflowError: it is too long; ValueError: nobody can tell where it ends."""
        self.body_is_read, body = True, b""
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            length, = {value.strip() for value in self.headers.get_all("Content-Length", ["0"])}
            return self.bytes(self.size(length, "[0-9]+", 10))
        while size := self.size(self.line(), "[0-9a-fA-F]+", 16, len(body)):
            body += self.bytes(size)
            self.line()
        while self.line():
            pass  # trailers say nothing to us
        return body

    def bytes(self, size):
        data = self.rfile.read(size)
        if len(data) < size:
            raise ValueError("the body ends before its end")
        return data

    def line(self):
        return self.rfile.readline(1 << 12).decode("latin-1").partition(";")[0].strip()

    def size(self, text, pattern, base, before=0):
        if not re.fullmatch(pattern, text):
            raise ValueError(text)
        if len(text) > 16 or int(text, base) > MAX_BODY - before:
            raise OverflowError(text)
        return int(text, base)

    def answer(self, status, value, close=False):
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if close:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else data)

    def send_error(self, code, message=None, explain=None):
        """What the library refuses by itself, in JSON: methods that there are not, and what is no HTTP."""
        path = getattr(self, "path", None)
        missing = code == 501 and path != self.server.path and not self.server.pages(path or "")
        self.answer(404 if missing else code, {"error": "not found" if missing else message or "refused"}, close=True)

    def log_message(self, *_):
        pass
