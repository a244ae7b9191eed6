// JSON over HTTP/1.1 as the A2A fleet speaks it: paths, limits and bearer, nothing of A2A itself. Every answer is JSON.
import http from "node:http";

const MAX_BODY = 1 << 20;
const TOO_LONG = "request entity too large";
const UNANSWERABLE = { jsonrpc: "2.0", id: null, error: { code: -32603, message: "this cannot be answered" } };
const NO_LENGTH = { jsonrpc: "2.0", id: null, error: { code: -32600, message: "invalid Content-Length" } };

function answer(response, status, value) {
  const data = Buffer.from(JSON.stringify(value));
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": data.length }).end(data);
}

/** Gives the body of a request, or nothing when it is longer than one may be; what is left of it is read and dropped. */
function readBody(request, taken) {
  let pieces = [], size = Number(request.headers["content-length"] ?? 0);
  const tooLong = () => { taken(undefined); taken = () => {}; pieces = []; };
  if (size > MAX_BODY) tooLong();
  size = 0;
  request.on("data", (data) => { if ((size += data.length) > MAX_BODY) tooLong(); else pieces.push(data); });
  request.on("end", () => taken(Buffer.concat(pieces)));
}

/** `page` says what a GET of a path shows, `refuses` what is wrong with a bearer, `call` answers the body of a POST. */
export function front({ page, refuses, call }) {
  const server = http.createServer((request, response) => {
    const { method, url } = request, known = url === "/jsonrpc" || page(url) !== undefined;
    request.on("error", () => {});
    if (method === "POST" && url === "/jsonrpc") {
      const refused = refuses(request.headers.authorization);
      if (!refused) return readBody(request, (body) => (body ? Promise.resolve(body).then(call) : Promise.reject(TOO_LONG))
        .then((value) => answer(response, 200, value))
        .catch((error) => (error === TOO_LONG ? answer(response, 413, { error: TOO_LONG }) : answer(response, 200, UNANSWERABLE))));
      answer(response, 401, { error: refused });
    } else if (method === "GET" && page(url)) answer(response, 200, page(url));
    else if (method === "GET" || method === "POST" || !known) answer(response, 404, { error: "not found" });
    else answer(response, 501, { error: "method not supported" });
    request.resume();
  });
  // What the library itself takes for no request: it answers for itself, in JSON like everything else.
  server.on("clientError", (error, socket) => {
    const head = String(error.rawPacket ?? ""), length = error.code === "HPE_INVALID_CONTENT_LENGTH";
    const refused = length && refuses(/^authorization: *(.*?)\r?$/im.exec(head)?.[1]);
    const [status, value] = refused ? [401, { error: refused }] : length && head.startsWith("POST /jsonrpc ") ? [200, NO_LENGTH]
      : [error.code === "HPE_HEADER_OVERFLOW" ? 431 : 400, { error: "no request that can be read" }];
    const data = JSON.stringify(value);
    if (socket.writable) socket.end(`HTTP/1.1 ${status} -\r\nContent-Type: application/json\r\nContent-Length: ${data.length}\r\n`
      + `Connection: close\r\n\r\n${data}`);
  });
  return server;
}
