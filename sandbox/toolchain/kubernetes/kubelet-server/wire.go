package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
)

// The wire between this server and the node stand-in, one connection per request:
//
//	-> one JSON line, the request
//	<- one JSON line, the answer: {"code": 200} or {"code": <HTTP status>, "message": "..."}
//	<> frames, in both directions: one byte stream, four bytes length (big endian), payload
//
// A frame of length zero on stdin says that its input is over. The stand-in ends with a frame on the exit stream,
// {"code": <exit code>} or {"error": "..."}.
const (
	stdin  byte = 0
	stdout byte = 1
	stderr byte = 2
	exit   byte = 3

	maxFrame = 1 << 20
)

type request struct {
	Op        string            `json:"op"`
	Namespace string            `json:"namespace,omitempty"`
	Pod       string            `json:"pod,omitempty"`
	Container string            `json:"container,omitempty"`
	Command   []string          `json:"command,omitempty"`
	TTY       bool              `json:"tty,omitempty"`
	Port      int32             `json:"port,omitempty"`
	Options   map[string]string `json:"options,omitempty"`
}

type answer struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Error   string `json:"error"`
}

// refusal is an answer that is not a success: an HTTP status and its text.
type refusal struct {
	code    int
	message string
}

func (r *refusal) Error() string { return r.message }

type standIn struct{ socket string }

// open sends the request and returns the connection once the stand-in has accepted it. A *refusal says why it has not.
func (s *standIn) open(ctx context.Context, req request) (*wire, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", s.socket)
	if err != nil {
		return nil, &refusal{http.StatusServiceUnavailable, fmt.Sprintf("the node stand-in does not answer: %v", err)}
	}
	w := &wire{conn: conn, reader: bufio.NewReader(conn)}
	if err := json.NewEncoder(conn).Encode(req); err != nil {
		conn.Close()
		return nil, err
	}
	line, err := w.reader.ReadBytes('\n')
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("the node stand-in hung up: %w", err)
	}
	var got answer
	if err := json.Unmarshal(line, &got); err != nil {
		conn.Close()
		return nil, err
	}
	if got.Code != http.StatusOK {
		conn.Close()
		return nil, &refusal{got.Code, got.Message}
	}
	return w, nil
}

type wire struct {
	conn    net.Conn
	reader  *bufio.Reader
	writing sync.Mutex
}

func (w *wire) Close() error { return w.conn.Close() }

func (w *wire) send(stream byte, payload []byte) error {
	w.writing.Lock()
	defer w.writing.Unlock()
	header := [5]byte{stream}
	binary.BigEndian.PutUint32(header[1:], uint32(len(payload)))
	_, err := w.conn.Write(append(header[:], payload...))
	return err
}

// feed copies input to the stand-in until it ends; both ends of the connection may be gone by then.
func (w *wire) feed(input io.Reader) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := input.Read(buffer)
		if n > 0 && w.send(stdin, buffer[:n]) != nil {
			return
		}
		if err != nil {
			_ = w.send(stdin, nil)
			return
		}
	}
}

// drain copies output until the stand-in says how it ended.
func (w *wire) drain(out, errOut io.Writer) (answer, error) {
	var header [5]byte
	for {
		if _, err := io.ReadFull(w.reader, header[:]); err != nil {
			return answer{}, fmt.Errorf("the node stand-in hung up: %w", err)
		}
		length := binary.BigEndian.Uint32(header[1:])
		if length > maxFrame {
			return answer{}, fmt.Errorf("a frame of %d bytes is too long", length)
		}
		payload := make([]byte, length)
		if _, err := io.ReadFull(w.reader, payload); err != nil {
			return answer{}, fmt.Errorf("the node stand-in hung up: %w", err)
		}
		var target io.Writer
		switch header[0] {
		case stdout:
			target = out
		case stderr:
			target = errOut
		case exit:
			var ended answer
			err := json.Unmarshal(payload, &ended)
			return ended, err
		default:
			return answer{}, fmt.Errorf("a frame on the unknown stream %d", header[0])
		}
		if target == nil {
			continue
		}
		if _, err := target.Write(payload); err != nil {
			return answer{}, err
		}
	}
}
