// A load generator on raw sockets: node load.mjs '{ "port": 7001, … }'
// Prints requests, latency percentiles and errors as JSON. A response is read by its content-length.
import net from 'node:net';

const {
  port,
  path: target = '/',
  connections = 32,
  /** Milliseconds that are counted, after a quarter of them as a warm-up; SIGINT ends it before. */
  duration = 1500,
  /** Requests after which it ends, in place of a time. */
  requests = Number.POSITIVE_INFINITY,
  /** Requests a second; 0 for as many as the server takes. */
  rate = 0,
  /** A connection for each request. */
  close = false,
  /** JSON that is posted; a GET without it. */
  body,
} = JSON.parse(process.argv[2]);
const post =
  body === undefined ? '' : `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
const head = `${body === undefined ? 'GET' : 'POST'} ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\n`;
const request = Buffer.from(`${head}${post}${close ? 'Connection: close\r\n' : ''}\r\n${body ?? ''}`);
const END = Buffer.from('\r\n\r\n');
const WARMUP = requests < Number.POSITIVE_INFINITY ? 0 : duration * 0.25;
const begin = performance.now();
const deadline = requests < Number.POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : begin + WARMUP + duration;
const latencies = [];
let count = 0;
let total = 0;
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
  const socket = net.connect({ port, host: '127.0.0.1', onread });
  const send = () => {
    sent = performance.now();
    socket.write(request);
  };
  const next = (now) => {
    if (now >= deadline || total >= requests) {
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
    total += 1;
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
  const seconds = (performance.now() - begin - WARMUP) / 1000;
  console.log(JSON.stringify({ perSecond: count / seconds, total, p50: at(0.5), p99: at(0.99), errors }));
}

process.on('SIGINT', () => {
  report();
  process.exit();
});

const schedule = rate > 0 ? (1000 * connections) / rate : 0;
for (let index = 0; index < connections; index += 1) connect(schedule);
