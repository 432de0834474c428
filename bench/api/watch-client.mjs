// Watchers of one run in a process of their own: node watch-client.mjs URL COUNT SECONDS. Prints updates and latencies as JSON.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { percentile, round } from './tools.mjs';

const [url, count, seconds] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const watchers = Array.from({ length: count }, () => ({ updates: 0, failed: false, open: false }));
const latencies = [];
let measuring = false;
const agent = new http.Agent({ keepAlive: false, maxSockets: Infinity });

for (const watcher of watchers) {
  const request = http.get(url, { agent }, (response) => {
    if (response.statusCode !== 200) watcher.failed = true;
    response.setEncoding('latin1');
    response.on('data', (text) => {
      watcher.open = true;
      if (!measuring) return;
      // The step carries the time at which the trainer reported it.
      const told = /"done":(\d+)/.exec(text);
      if (!text.includes('event: update') || !told) return;
      watcher.updates += 1;
      latencies.push((Date.now() % 1e9) - Number(told[1]));
    });
    response.on('error', () => (watcher.failed = true));
  });
  request.on('error', () => (watcher.failed = true));
}
const began = Date.now();
while (watchers.some(({ open, failed }) => !open && !failed) && Date.now() - began < 60_000) await sleep(100);
const opened = (Date.now() - began) / 1000;
measuring = true;
process.stdout.write('open\n');
await sleep(seconds * 1000);
measuring = false;
const rates = watchers.map(({ updates }) => updates / seconds);
const result = {
  watchers: count,
  failed: watchers.filter(({ failed, open }) => failed || !open).length,
  opened_s: round(opened),
  least_updates_a_second: round(Math.min(...rates)),
  updates_a_second: round(rates.reduce((sum, rate) => sum + rate, 0) / count),
  latency_p50_ms: percentile(latencies, 0.5) ?? null,
  latency_p95_ms: percentile(latencies, 0.95) ?? null,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
