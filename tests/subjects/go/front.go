package main

// JSON over HTTP/1.1 as the A2A fleet speaks it: framing, limits and bearer, nothing of A2A itself. The library's own server answers
// what it does not like in plain text; here every answer is JSON, and what is left of a refused body is never the next request.

import (
	"bufio"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	maxBody = 1 << 20
	maxHead = 1 << 16
	patient = 20 * time.Second // so long a connection may say nothing
)

var (
	errTooLong   = errors.New("request entity too large")
	errNoLength  = errors.New("invalid Content-Length")
	errMalformed = errors.New("this is no HTTP")
)

// Front serves connections: page says what a GET of a path shows, call answers the body of a POST to path.
type Front struct {
	path    string
	page    func(path string) any
	refuses func(authorization string) string
	call    func(body []byte) any
}

// refuses says what is wrong with the Authorization that was shown, nothing when nothing is. Without a bearer everyone may enter.
func refuses(authorization, bearer string) string {
	scheme, shown, _ := strings.Cut(authorization, " ")
	shown = strings.TrimSpace(shown)
	switch {
	case bearer == "":
		return ""
	case !strings.EqualFold(scheme, "bearer") || shown == "":
		return "missing bearer token"
	case subtle.ConstantTimeCompare([]byte(shown), []byte(bearer)) != 1:
		return "invalid bearer token"
	}
	return ""
}

func (f *Front) serve(listener net.Listener) {
	for {
		connection, err := listener.Accept()
		if err != nil { // there are no more files for now, or so
			time.Sleep(20 * time.Millisecond)
			continue
		}
		go f.talk(connection)
	}
}

// request is the head of one, and how its body is framed.
type request struct {
	method, path, version string
	headers               map[string][]string
	bodyRead              bool
}

func (f *Front) talk(connection net.Conn) {
	defer func() { // let the answer arrive before bytes that nobody read make the kernel reset the connection
		if half, ok := connection.(*net.TCPConn); ok && half.CloseWrite() == nil {
			connection.SetReadDeadline(time.Now().Add(time.Second))
			io.CopyN(io.Discard, connection, 4*maxBody)
		}
		connection.Close()
	}()
	reader := bufio.NewReaderSize(connection, maxHead)
	for {
		connection.SetDeadline(time.Now().Add(patient))
		asked, err := readHead(reader)
		if err != nil {
			if errors.Is(err, errMalformed) {
				answer(connection, asked, 400, map[string]string{"error": err.Error()}, true)
			}
			return
		}
		status, value, last := f.reply(asked, reader, connection)
		if !asked.bodyRead {
			_, err := asked.body(reader, connection)
			last = last || err != nil
		}
		last = last || asked.version == "HTTP/1.0" || strings.EqualFold(asked.first("connection"), "close")
		if answer(connection, asked, status, value, last) != nil || last {
			return
		}
	}
}

// reply is the status and the answer to a request, and whether the connection ends with it.
func (f *Front) reply(asked *request, reader *bufio.Reader, writer io.Writer) (int, any, bool) {
	refused := func(status int, why string) (int, any, bool) {
		return status, map[string]string{"error": why}, status > 404
	}
	page := f.page(asked.path)
	switch {
	case asked.method == http.MethodGet && page != nil:
		return 200, page, false
	case asked.method == http.MethodPost && asked.path == f.path:
	case asked.method == http.MethodGet || asked.method == http.MethodPost || page == nil && asked.path != f.path:
		return refused(404, "not found")
	default:
		return refused(501, "unsupported method")
	}
	if why := f.refuses(asked.first("authorization")); why != "" {
		return refused(401, why)
	}
	body, err := asked.body(reader, writer)
	switch {
	case errors.Is(err, errTooLong):
		return refused(413, err.Error())
	case err != nil:
		return 200, failure(nil, -32600, err.Error()), true
	}
	return 200, f.call(body), false
}

// readLine is a line of the head without its end.
func readLine(reader *bufio.Reader) (string, error) {
	data, err := reader.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return "", errMalformed
	}
	return strings.TrimRight(string(data), "\r\n"), err
}

func readHead(reader *bufio.Reader) (*request, error) {
	asked := &request{headers: map[string][]string{}}
	start, err := readLine(reader)
	if start == "" && err == nil { // an empty line before a request says nothing
		start, err = readLine(reader)
	}
	if err != nil {
		return asked, err
	}
	words := strings.Split(start, " ")
	if len(words) != 3 || words[0] == "" || words[1] == "" || words[2] != "HTTP/1.1" && words[2] != "HTTP/1.0" {
		return asked, errMalformed
	}
	asked.method, asked.path, asked.version = words[0], words[1], words[2]
	for size := 0; ; {
		field, err := readLine(reader)
		if err != nil || field == "" {
			return asked, err
		}
		name, value, found := strings.Cut(field, ":")
		if size += len(field); size > maxHead || !found || name == "" || strings.ContainsAny(name, " \t") {
			return asked, errMalformed
		}
		name = strings.ToLower(name)
		asked.headers[name] = append(asked.headers[name], strings.TrimSpace(value))
	}
}

func (r *request) first(name string) string {
	return append(r.headers[name], "")[0]
}

// body reads the body of a request: errTooLong before any of it when it is, and errNoLength when nobody can tell where it ends.
func (r *request) body(reader *bufio.Reader, writer io.Writer) ([]byte, error) {
	r.bodyRead = true
	coding, lengths := r.first("transfer-encoding"), append(r.headers["content-length"], "0")
	chunked := strings.EqualFold(coding, "chunked")
	if coding != "" && (!chunked || len(lengths) > 1) {
		return nil, errNoLength
	}
	size, err := count(lengths[0], 10, maxBody)
	for _, other := range lengths[:len(lengths)-1] {
		if err == nil && other != lengths[0] {
			err = errNoLength
		}
	}
	if err != nil {
		return nil, err
	}
	if strings.EqualFold(r.first("expect"), "100-continue") {
		io.WriteString(writer, "HTTP/1.1 100 Continue\r\n\r\n")
	}
	if !chunked {
		return take(reader, size)
	}
	var whole []byte
	for {
		head, err := readLine(reader)
		if err != nil {
			return nil, errNoLength
		}
		head, _, _ = strings.Cut(head, ";")
		size, err := count(strings.TrimSpace(head), 16, maxBody-len(whole))
		if err != nil {
			return nil, err
		}
		if size == 0 {
			break
		}
		part, err := take(reader, size)
		if end, _ := readLine(reader); err != nil || end != "" {
			return nil, errNoLength
		}
		whole = append(whole, part...)
	}
	for trailer := "-"; trailer != ""; {
		if trailer, err = readLine(reader); err != nil {
			return nil, errNoLength
		}
	}
	return whole, nil
}

func take(reader *bufio.Reader, size int) ([]byte, error) {
	data := make([]byte, size)
	if _, err := io.ReadFull(reader, data); err != nil {
		return nil, errNoLength
	}
	return data, nil
}

// count is a number of bytes that is written in digits alone.
func count(digits string, base, most int) (int, error) {
	size, err := strconv.ParseUint(digits, base, 63)
	var number *strconv.NumError
	if errors.As(err, &number) && errors.Is(number.Err, strconv.ErrRange) || err == nil && size > uint64(most) {
		return 0, errTooLong
	}
	if err != nil || strings.ContainsAny(digits, "+_") {
		return 0, errNoLength
	}
	return int(size), nil
}

func answer(writer io.Writer, asked *request, status int, value any, last bool) error {
	data, ending := line(value), ""
	if last {
		ending = "Connection: close\r\n"
	}
	head := fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n",
		status, http.StatusText(status), len(data), ending)
	if asked.method == http.MethodHead {
		data = nil
	}
	_, err := writer.Write(append([]byte(head), data...))
	return err
}
