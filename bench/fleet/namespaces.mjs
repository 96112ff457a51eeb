import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

// RFC 2544 keeps these addresses for benchmarks. All is in a namespace of the script's own, which goes with its last process.
const HUB = '198.18.0.1';
const INSIDE = 'CLUTCH_BENCH_NAMESPACE';
let links = 0;

/** Address of this script for machines in network namespaces; undefined where they are not permitted. */
export const hub = process.env[INSIDE] ? HUB : undefined;

/**
 * Runs the script once more, in a network namespace with a bridge, to which machines are joined by veth pairs.
 *
 * @returns its exit code; undefined if this is that run, or if namespaces are not permitted: they need Linux, root and iproute2
 */
export function runInNamespace() {
  if (hub) return undefined;
  const setup = `ip link set lo up && ip link add hub type bridge && ip addr add ${HUB}/24 dev hub && ip link set hub up`;
  const unshare = (script, options) => spawnSync('unshare', ['--net', 'sh', '-c', ...script], options);
  const trial = unshare([`${setup} && ip link add trial0 type veth peer name trial1`], { stdio: 'ignore' });
  if (trial.status !== 0) return undefined;
  const script = [`${setup} && exec "$@"`, 'sh', process.execPath, ...process.argv.slice(1)];
  return unshare(script, { stdio: 'inherit', env: { ...process.env, [INSIDE]: '1' } }).status ?? 1;
}

/** @returns a command that runs another one in a namespace of its own, and the link between it and the hub */
export function joined(command) {
  links += 1;
  const link = `link${links}`;
  const own = `/proc/${process.pid}/ns/net`;
  const script = `ip link set lo up
    ip link add eth0 type veth peer name ${link} netns ${process.pid}
    ip addr add 198.18.0.${1 + links}/24 dev eth0
    ip link set eth0 up
    nsenter --net=${own} ip link set ${link} master hub up
    exec "$@"`;
  return { command: ['unshare', '--net', 'sh', '-ec', script, 'sh', ...command], link };
}

/** Loses all packets of a link, in both directions. */
export async function cut(link, milliseconds) {
  setLink(link, 'down');
  await sleep(milliseconds);
  setLink(link, 'up');
}

function setLink(link, state) {
  const { status, stderr } = spawnSync('ip', ['link', 'set', link, state], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip link set ${link} ${state}: ${stderr}`);
}
