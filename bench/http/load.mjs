// A load generator on raw sockets: node load.mjs <port> <path> <connections> <milliseconds> [requests per second] [close]
// Prints requests, latency percentiles and errors as JSON. A response is read by its content-length.
import net from 'node:net';

const [port, target, connections, duration, rate = '0', close = ''] = process.argv.slice(2);
const request = Buffer.from(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\n${close ? 'Connection: close\r\n' : ''}\r\n`);
const END = Buffer.from('\r\n\r\n');
const WARMUP = Number(duration) * 0.25;
const begin = performance.now();
const deadline = begin + WARMUP + Number(duration);
const latencies = [];
let count = 0;
let errors = 0;
let open = 0;

function lengthOf(chunk) {
  const end = chunk.indexOf(END);
  if (end < 0) return Number.POSITIVE_INFINITY;
  const head = chunk.latin1Slice(0, end).toLowerCase();
  if (!head.startsWith('http/1.1 200')) errors += 1;
  const at = head.indexOf('content-length: ');
  return end + 4 + Number.parseInt(head.slice(at + 16), 10);
}

function connect(schedule) {
  open += 1;
  let sent = 0;
  let due = 0;
  let expected = 0;
  let rest;
  const buffer = Buffer.allocUnsafeSlow(64 * 1024);
  const onread = { buffer, callback: (bytes) => receive(buffer.subarray(0, bytes)) };
  const socket = net.connect({ port: Number(port), host: '127.0.0.1', onread });
  const send = () => {
    sent = performance.now();
    socket.write(request);
  };
  const next = (now) => {
    if (now >= deadline) {
      socket.destroy();
    } else if (close) {
      socket.destroy();
      connect(schedule);
    } else if (schedule) {
      due += schedule;
      const wait = due - now;
      if (wait > 1) setTimeout(send, wait);
      else send();
    } else send();
  };
  socket.setNoDelay(true);
  socket.resume();
  socket.on('connect', () => {
    due = performance.now();
    send();
  });
  const receive = (chunk) => {
    if (rest) {
      chunk = Buffer.concat([rest, chunk]);
      rest = undefined;
    }
    // Answers to the same request have the same length, but for headers that hold a time.
    if (chunk.length !== expected) {
      const length = lengthOf(chunk);
      if (chunk.length < length) {
        rest = Buffer.from(chunk);
        return true;
      }
      expected = length;
    }
    const now = performance.now();
    if (now - begin >= WARMUP) {
      count += 1;
      // From when it was due, so that a server that stalls cannot hide it.
      latencies.push(now - (schedule ? Math.min(due, sent) : sent));
    }
    next(now);
    return true;
  };
  socket.on('error', () => {
    errors += 1;
  });
  socket.on('close', () => {
    open -= 1;
    if (open === 0) report();
  });
}

function report() {
  latencies.sort((a, b) => a - b);
  const at = (share) => latencies[Math.floor(latencies.length * share)] ?? 0;
  const seconds = Number(duration) / 1000;
  console.log(JSON.stringify({ perSecond: count / seconds, p50: at(0.5), p99: at(0.99), errors }));
}

const schedule = Number(rate) > 0 ? (1000 * Number(connections)) / Number(rate) : 0;
for (let index = 0; index < Number(connections); index += 1) connect(schedule);
