// What a fleet asks of one Redis, simulated call by call on a virtual clock: node bench/fleet_model.mjs [--machines 1000]
// [--workers 16] [--lease 10] [--leaderships 2] [--schedules 10] [--period 60] [--broadcasts 10] [--seconds 120]
// test/plugins/fleet/traffic.test.ts compares it with five real machines.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** Calls in a second above which one Redis has no more reserve; it serves about 100,000 small commands on one core. */
const LIMIT = 50_000;

/**
 * @param lease seconds
 * @param leaderships names for which each machine is a candidate
 * @param schedules of type `fleet`, each due every `period` seconds
 * @param broadcasts in a second, over the whole fleet
 */
export function simulate({
  machines,
  lease,
  leaderships = 0,
  schedules = 0,
  period = 60,
  broadcasts = 0,
  seconds = 120,
}) {
  const calls = new Array(seconds).fill(0);
  const by = { heartbeats: 0, leadership: 0, schedules: 0, recovery: 0 };
  const call = (what, at, count = 1) => {
    if (at >= seconds) return;
    calls[Math.floor(at)] += count;
    by[what] += count;
  };
  const candidacies = leaderships + (schedules > 0 ? 1 : 0);
  for (let machine = 0; machine < machines; machine += 1) {
    // A heartbeat is one write, with the delay of lib/members.ts after it.
    for (let at = (Math.random() * lease) / 3; at < seconds; at += (lease / 3) * (0.75 + Math.random() / 4)) {
      call('heartbeats', at);
    }
    // A candidate reads, the one that leads writes, each once in a quarter of a lease.
    for (let name = 0; name < candidacies; name += 1) {
      for (let at = (Math.random() * lease) / 4; at < seconds; at += lease / 4) call('leadership', at);
    }
  }
  for (let due = period; due < seconds; due += period) {
    for (let schedule = 0; schedule < schedules; schedule += 1) {
      let claimedAt = Number.POSITIVE_INFINITY;
      const begin = Array.from({ length: machines }, () => due + Math.random() * 0.01).sort((a, b) => a - b);
      for (const at of begin) {
        call('schedules', at);
        // Those that have read before the first write is there write too, and read again since they are too late.
        if (at < claimedAt) call('schedules', at + 0.001, claimedAt === Number.POSITIVE_INFINITY ? 1 : 2);
        claimedAt = Math.min(claimedAt, at + 0.002);
      }
      call('schedules', due + 0.1, 2);
    }
  }
  if (schedules > 0) for (let at = 0; at < seconds; at += lease / 4) call('recovery', at, schedules);
  const perSecond = (count) => count / seconds;
  return {
    connections: 2 * machines,
    callsPerSecond: perSecond(calls.reduce((sum, count) => sum + count, 0)),
    peak: Math.max(...calls),
    by: Object.fromEntries(Object.entries(by).map(([what, count]) => [what, perSecond(count)])),
    deliveriesPerSecond: broadcasts * machines,
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const options = {
    workers: '16',
    machines: '1000',
    lease: '10',
    leaderships: '2',
    schedules: '10',
    period: '60',
    broadcasts: '10',
    seconds: '120',
  };
  const { values } = parseArgs({
    options: Object.fromEntries(
      Object.entries(options).map(([name, value]) => [name, { type: 'string', default: value }]),
    ),
  });
  const numbers = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Number(value)]));
  const { connections, callsPerSecond, peak, by, deliveriesPerSecond } = simulate(numbers);
  const round = (value) => Math.round(value).toLocaleString('en');
  console.log(`${round(numbers.machines)} machines × ${numbers.workers} workers, lease ${numbers.lease} s`);
  console.log(
    `connections: ${round(connections)} (${round(numbers.machines * numbers.workers * 2)} if each worker had its own two)`,
  );
  console.log(
    `calls a second: ${round(callsPerSecond)} (${Object.entries(by)
      .map(([what, count]) => `${what} ${round(count)}`)
      .join(', ')})`,
  );
  console.log(
    `the busiest second: ${round(peak)} calls; deliveries of broadcasts a second: ${round(deliveriesPerSecond)}`,
  );
  console.log(peak + deliveriesPerSecond > LIMIT ? 'more than one Redis should have' : 'one Redis serves this');
}
