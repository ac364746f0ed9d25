"""An HTTP proxy that knows CONNECT and nothing else: python3 http_proxy.py [user:password]

Prints its port. Written against RFC 9110, with nothing but sockets and threads.
"""

import base64
import socket
import sys
import threading


def pump(source, sink):
    try:
        while chunk := source.recv(65536):
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def refuse(client, status, reason):
    client.sendall(f"HTTP/1.1 {status} {reason}\r\nContent-Length: 0\r\n\r\n".encode())
    client.close()


def serve(client, credentials):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = client.recv(1)
        if not byte:
            return
        head += byte
    lines = head.decode("latin-1").split("\r\n")
    method, target, _ = lines[0].split(" ")
    fields = dict(line.split(": ", 1) for line in lines[1:] if line)
    if credentials:
        token = base64.b64encode(credentials.encode()).decode()
        if fields.get("Proxy-Authorization") != f"Basic {token}":
            return refuse(client, 407, "Proxy Authentication Required")
    if method != "CONNECT" or fields.get("Host") != target:
        return refuse(client, 400, "Bad Request")
    host, port = target.rsplit(":", 1)
    try:
        upstream = socket.create_connection((host.strip("[]"), int(port)))
    except OSError:
        return refuse(client, 502, "Bad Gateway")
    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    threading.Thread(target=pump, args=(upstream, client), daemon=True).start()
    pump(client, upstream)


def main():
    credentials = sys.argv[1] if len(sys.argv) > 1 else None
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client, credentials), daemon=True).start()


main()
