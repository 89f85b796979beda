// Command kubelet-server answers the API server where it expects the kubelets of the simulated nodes: one HTTPS server
// on loopback for all of them. The streaming protocols are those of the kubelet's own module; what a pod answers comes
// from the node stand-in over a unix socket (see wire.go). Nothing is ever run on this machine.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

type options struct {
	listen, socket, certificate, key, clientCA string
}

func parse() options {
	var o options
	flag.StringVar(&o.listen, "listen", "127.0.0.1:10250", "loopback address and port to listen on")
	flag.StringVar(&o.socket, "socket", "", "unix socket of the node stand-in")
	flag.StringVar(&o.certificate, "cert", "", "serving certificate (PEM)")
	flag.StringVar(&o.key, "key", "", "its key (PEM)")
	flag.StringVar(&o.clientCA, "client-ca", "", "authority of the only clients let in: the API server's kubelet client (PEM)")
	flag.Parse()
	return o
}

func (o options) check() error {
	host, _, err := net.SplitHostPort(o.listen)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("--listen %q is not a loopback address with a port", o.listen)
	}
	for name, value := range map[string]string{
		"socket": o.socket, "cert": o.certificate, "key": o.key, "client-ca": o.clientCA,
	} {
		if value == "" {
			return fmt.Errorf("--%s is missing", name)
		}
	}
	return nil
}

func (o options) tls() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(o.certificate, o.key)
	if err != nil {
		return nil, err
	}
	authority, err := os.ReadFile(o.clientCA)
	if err != nil {
		return nil, err
	}
	clients := x509.NewCertPool()
	if !clients.AppendCertsFromPEM(authority) {
		return nil, fmt.Errorf("%s holds no certificate", o.clientCA)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{pair},
		ClientCAs:    clients,
		ClientAuth:   tls.RequireAndVerifyClientCert,
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"http/1.1"}, // upgrades to SPDY and websockets need HTTP/1.1
	}, nil
}

func run(o options) error {
	if err := o.check(); err != nil {
		return err
	}
	config, err := o.tls()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler(&standIn{socket: o.socket}), ReadHeaderTimeout: 30 * time.Second}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(tls.NewListener(listener, config)) }()
	fmt.Fprintf(os.Stderr, "kubelet-server listens on %s, pods answer through %s\n", listener.Addr(), o.socket)
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		if err := server.Close(); err != nil && !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	}
}

func main() {
	if err := run(parse()); err != nil {
		fmt.Fprintf(os.Stderr, "kubelet-server: %v\n", err)
		os.Exit(1)
	}
}
