//! The peer "tokio": a task for each connection, on one thread. In spirit the echo server in Tokio's README, with a buffer as
//! large as the other servers' instead of one of 1 KiB; lines as tokio::io offers them, flushed when no more input is there,
//! so that those that came together leave together.

use std::io::Read;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, BufWriter};
use tokio::net::{TcpSocket, TcpStream};

const READ_BYTES_MAX: usize = 64 * 1024;
const BACKLOG: u32 = 4096;

async fn echo_bytes(mut stream: TcpStream) -> std::io::Result<()> {
    let mut buffer = vec![0; READ_BYTES_MAX];
    loop {
        let n = stream.read(&mut buffer).await?;
        if n == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..n]).await?;
    }
}

async fn echo_lines(mut stream: TcpStream) -> std::io::Result<()> {
    let (reader, writer) = stream.split();
    let (mut reader, mut writer) = (BufReader::new(reader), BufWriter::new(writer));
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).await? > 0 {
        writer.write_all(&line).await?;
        line.clear();
        if reader.buffer().is_empty() {
            writer.flush().await?;
        }
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let lines = match std::env::args().nth(1).as_deref() {
        Some("bytes") => false,
        Some("lines") => true,
        _ => {
            eprintln!("usage: tokio bytes|lines");
            std::process::exit(2);
        }
    };
    let socket = TcpSocket::new_v4()?;
    socket.bind("127.0.0.1:0".parse().unwrap())?;
    let listener = socket.listen(BACKLOG)?;
    println!(
        "{} Tokio {}, a task per connection, current_thread",
        listener.local_addr()?.port(),
        env!("TOKIO_VERSION")
    );
    std::thread::spawn(|| {
        // The end of standard input is the signal to end.
        let mut rest = Vec::new();
        let _ = std::io::stdin().read_to_end(&mut rest);
        std::process::exit(0);
    });
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?; // As all the other libraries do unasked.
        tokio::spawn(async move {
            // An error means that the client has gone.
            let _ = if lines { echo_lines(stream).await } else { echo_bytes(stream).await };
        });
    }
}
