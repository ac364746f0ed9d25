// The peer "go": a goroutine for each connection. In spirit the echo server in the documentation of net.Listener, but with a
// buffer in place of io.Copy, which on Linux would splice: through a pipe, so with two more descriptors for each connection.
// Lines as package bufio offers them, flushed when no more input is there, so that those that came together leave together.
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
)

const readBytesMax = 64 * 1024

func echoBytes(conn net.Conn) {
	defer conn.Close()
	buffer := make([]byte, readBytesMax)
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			return
		}
		if _, err := conn.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func echoLines(conn net.Conn) {
	defer conn.Close()
	reader, writer := bufio.NewReader(conn), bufio.NewWriter(conn)
	for {
		line, err := reader.ReadBytes('\n')
		if err != nil {
			return
		}
		writer.Write(line) // An error comes back from Flush.
		if reader.Buffered() == 0 {
			if err := writer.Flush(); err != nil {
				return
			}
		}
	}
}

func serve(listener net.Listener, echo func(net.Conn)) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, "go:", err)
			os.Exit(1)
		}
		go echo(conn)
	}
}

func main() {
	echo, known := map[string]func(net.Conn){"bytes": echoBytes, "lines": echoLines}[strings.Join(os.Args[1:], " ")]
	if !known {
		fmt.Fprintln(os.Stderr, "usage: go bytes|lines")
		os.Exit(2)
	}
	// Go has the kernel queue as many connections as it allows, net.core.somaxconn: 4096 unless it was changed.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, "go:", err)
		os.Exit(1)
	}
	fmt.Printf("%d Go %s, goroutine per connection, GOMAXPROCS=%d\n", listener.Addr().(*net.TCPAddr).Port,
		strings.TrimPrefix(runtime.Version(), "go"), runtime.GOMAXPROCS(0))
	go serve(listener, echo)
	io.Copy(io.Discard, os.Stdin) // Its end is the signal to end.
}
