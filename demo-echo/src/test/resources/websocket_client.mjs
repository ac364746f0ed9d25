// Talks to an echo over a WebSocket, with the client that Node has, and says what came of it.

const socket = new WebSocket(process.argv[2]);
socket.binaryType = "arraybuffer";

function next(type) {
  return new Promise((resolve, reject) => {
    socket.addEventListener(type, resolve, { once: true });
    socket.addEventListener("error", reject, { once: true });
  });
}

async function echo(message) {
  const answer = next("message");
  socket.send(message);
  return (await answer).data;
}

await next("open");
console.log("text came back:", (await echo("text: \u00e4\u20ac")) === "text: \u00e4\u20ac");
const bytes = new Uint8Array(100_003).map((_, i) => i * 31);
const back = new Uint8Array(await echo(bytes));
console.log("bytes came back:", Buffer.compare(back, bytes) === 0);
const closed = next("close");
socket.close(4321, "enough");
const { code, reason, wasClean } = await closed;
console.log("closed with:", code, reason, wasClean);
