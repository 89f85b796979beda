package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/types"
	remotecommandconsts "k8s.io/apimachinery/pkg/util/remotecommand"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/kubelet/pkg/cri/streaming/portforward"
	remotecommandserver "k8s.io/kubelet/pkg/cri/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"
)

// idle is how long a stream may be silent, as the kubelet has it by default.
const idle = 4 * time.Hour

// passedOn are the options of a log request that the stand-in knows.
var passedOn = []string{"tailLines", "follow", "previous", "timestamps", "sinceSeconds", "sinceTime", "limitBytes"}

func handler(pods *standIn) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	mux.HandleFunc("GET /pods", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		copyOut(pods, w, r, request{Op: "pods"})
	})
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", func(w http.ResponseWriter, r *http.Request) {
		req := of(r, "logs")
		req.Options = map[string]string{}
		for _, name := range passedOn {
			if value := r.URL.Query().Get(name); value != "" {
				req.Options[name] = value
			}
		}
		w.Header().Set("Content-Type", "text/plain")
		copyOut(pods, w, r, req)
	})
	mux.HandleFunc("/exec/{namespace}/{pod}/{container}", func(w http.ResponseWriter, r *http.Request) {
		command(pods, w, r, "exec")
	})
	mux.HandleFunc("/attach/{namespace}/{pod}/{container}", func(w http.ResponseWriter, r *http.Request) {
		command(pods, w, r, "attach")
	})
	mux.HandleFunc("/portForward/{namespace}/{pod}", func(w http.ResponseWriter, r *http.Request) {
		forward(pods, w, r)
	})
	return mux
}

func of(r *http.Request, op string) request {
	return request{
		Op:        op,
		Namespace: r.PathValue("namespace"),
		Pod:       r.PathValue("pod"),
		Container: r.PathValue("container"),
	}
}

func refuse(w http.ResponseWriter, err error) {
	var why *refusal
	if errors.As(err, &why) {
		http.Error(w, why.message, why.code)
		return
	}
	http.Error(w, err.Error(), http.StatusInternalServerError)
}

// copyOut answers with what the stand-in writes, as it comes.
func copyOut(pods *standIn, w http.ResponseWriter, r *http.Request, req request) {
	connection, err := pods.open(r.Context(), req)
	if err != nil {
		refuse(w, err)
		return
	}
	defer connection.Close()
	defer context.AfterFunc(r.Context(), func() { connection.Close() })()
	out := flushing{w, http.NewResponseController(w)}
	if _, err := connection.drain(out, out); err != nil && r.Context().Err() == nil {
		fmt.Fprintf(out, "%v\n", err)
	}
}

type flushing struct {
	http.ResponseWriter
	controller *http.ResponseController
}

func (f flushing) Write(data []byte) (int, error) {
	n, err := f.ResponseWriter.Write(data)
	if err == nil {
		err = f.controller.Flush()
	}
	return n, err
}

// command serves exec and attach: the request is accepted by the stand-in before the connection is upgraded.
func command(pods *standIn, w http.ResponseWriter, r *http.Request, op string) {
	streams, err := remotecommandserver.NewOptions(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	req := of(r, op)
	req.Command = r.URL.Query()["command"]
	req.TTY = streams.TTY
	connection, err := pods.open(r.Context(), req)
	if err != nil {
		refuse(w, err)
		return
	}
	defer connection.Close()
	served := &process{connection}
	if op == "exec" {
		remotecommandserver.ServeExec(w, r, served, req.Pod, "", req.Container, req.Command, streams, idle,
			remotecommandconsts.DefaultStreamCreationTimeout, remotecommandconsts.SupportedStreamingProtocols)
		return
	}
	remotecommandserver.ServeAttach(w, r, served, req.Pod, "", req.Container, streams, idle,
		remotecommandconsts.DefaultStreamCreationTimeout, remotecommandconsts.SupportedStreamingProtocols)
}

// process is one accepted exec or attach.
type process struct{ connection *wire }

func (p *process) run(ctx context.Context, in io.Reader, out, errOut io.WriteCloser) error {
	defer context.AfterFunc(ctx, func() { p.connection.Close() })()
	if in != nil {
		go p.connection.feed(in)
	}
	ended, err := p.connection.drain(writer(out), writer(errOut))
	switch {
	case err != nil:
		return err
	case ended.Error != "":
		return errors.New(ended.Error)
	case ended.Code != 0:
		return utilexec.CodeExitError{Err: fmt.Errorf("exit status %d", ended.Code), Code: ended.Code}
	}
	return nil
}

// writer turns a missing stream into a missing writer.
func writer(stream io.WriteCloser) io.Writer {
	if stream == nil {
		return nil
	}
	return stream
}

func (p *process) ExecInContainer(ctx context.Context, _ string, _ types.UID, _ string, _ []string, in io.Reader,
	out, errOut io.WriteCloser, _ bool, _ <-chan remotecommand.TerminalSize, _ time.Duration) error {
	return p.run(ctx, in, out, errOut)
}

func (p *process) AttachContainer(ctx context.Context, _ string, _ types.UID, _ string, in io.Reader,
	out, errOut io.WriteCloser, _ bool, _ <-chan remotecommand.TerminalSize) error {
	return p.run(ctx, in, out, errOut)
}

// forward serves a port-forward: each forwarded connection is a request of its own to the stand-in.
func forward(pods *standIn, w http.ResponseWriter, r *http.Request) {
	streams, err := portforward.NewV4Options(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	req := of(r, "find")
	found, err := pods.open(r.Context(), req)
	if err != nil {
		refuse(w, err)
		return
	}
	found.Close()
	portforward.ServePortForward(w, r, &ports{pods, req}, req.Pod, "", streams, idle,
		remotecommandconsts.DefaultStreamCreationTimeout, portforward.SupportedProtocols)
}

type ports struct {
	pods *standIn
	req  request
}

func (p *ports) PortForward(ctx context.Context, _ string, _ types.UID, port int32, stream io.ReadWriteCloser) error {
	req := p.req
	req.Op, req.Port = "portForward", port
	connection, err := p.pods.open(ctx, req)
	if err != nil {
		return err
	}
	defer connection.Close()
	defer context.AfterFunc(ctx, func() { connection.Close() })()
	go connection.feed(stream)
	ended, err := connection.drain(stream, nil)
	if err == nil && ended.Error != "" {
		err = errors.New(ended.Error)
	}
	return err
}
