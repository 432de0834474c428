// What the rows of bench/api.mjs share: medians, processor time, timed requests.
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const TICK_MS = 10;

export function median(values) {
  return percentile(values, 0.5);
}

export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function round(value, digits = 2) {
  return Number(value.toFixed(digits));
}

function statOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  } catch {
    return undefined;
  }
}

/** Processor time a process has taken, with the children it has waited for. */
function cpuMs(pid) {
  const stat = statOf(pid);
  return stat ? stat.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * TICK_MS : 0;
}

/** Processor time of a process and its living children: a postmaster and its sessions. */
export function familyCpuMs(pid) {
  const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && statOf(name)?.[1] === String(pid));
  return cpuMs(pid) + children.reduce((sum, child) => sum + cpuMs(child), 0);
}

/** Share of a core that server and Postgres take when nobody asks for anything: reconciler, scheduler, and the other servers' sessions. */
export async function idle(server, postmaster, ms = 5_000) {
  const before = [familyCpuMs(server.pid), familyCpuMs(postmaster)];
  const began = performance.now();
  await sleep(ms);
  const wall = performance.now() - began;
  return { server: (familyCpuMs(server.pid) - before[0]) / wall, postgres: (familyCpuMs(postmaster) - before[1]) / wall };
}

/** Milliseconds of server and Postgres that a request takes beyond `rest`, and its bytes, over `count` requests one after the other. */
export async function cost(server, postmaster, path, count, rest = { server: 0, postgres: 0 }) {
  const before = [familyCpuMs(server.pid), familyCpuMs(postmaster)];
  const began = performance.now();
  let bytes = 0;
  for (let index = 0; index < count; index++) bytes = (await (await fetch(server.url + path)).arrayBuffer()).byteLength;
  const wall = (performance.now() - began) / count;
  const [own, postgres] = [familyCpuMs(server.pid) - before[0], familyCpuMs(postmaster) - before[1]];
  return { server_ms: own / count - rest.server * wall, postgres_ms: postgres / count - rest.postgres * wall, wall_ms: wall, bytes };
}

/** Both sides in turns; each side's figures are the means over all rounds. */
export async function inTurns(sides, rounds) {
  const all = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
  for (let index = 0; index < rounds; index++) for (const [name, work] of Object.entries(sides)) all[name].push(await work());
  return Object.fromEntries(
    Object.entries(all).map(([name, results]) => {
      const mean = (field) => results.reduce((sum, result) => sum + result[field], 0) / results.length;
      return [name, Object.fromEntries(Object.keys(results[0]).map((field) => [field, round(mean(field))]))];
    }),
  );
}
