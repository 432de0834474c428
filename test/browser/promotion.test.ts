import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { Logger } from '@nestjs/common';
import type { Browser, Page } from 'playwright-core';
import { DataSource } from 'typeorm';
import { type RunningApp, startApp } from '../../server/src/app.js';
import { loadConfig } from '../../server/src/platform/config/config.js';
import { EmbeddedPostgres } from '../../server/src/platform/embedded-postgres/embedded-postgres.js';
import { decideGate } from '../../server/src/registry/index.js';
import { TrainerDirectory } from '../../server/src/trainers/index.js';
import { gatedRun, type Compared } from '../integration/rows.js';
import { count, openBrowser, openPage, see } from './browser.js';

const better: Compared[] = [
  { benchmark: 'scienceqa', value: 74, difference: 4.2, low: 2.1, high: 6.3 },
  { benchmark: 'textvqa', value: 61, difference: -0.6, low: -1.9, high: 0.7 },
];
const worse: Compared[] = [
  { benchmark: 'scienceqa', value: 75, difference: 1.1, low: -0.4, high: 2.6 },
  { benchmark: 'textvqa', value: 57, difference: -4.4, low: -6.2, high: -2.6 },
];

/** The server and the console as they are; runs are rows, for no trainer is needed to look at a decision. */
describe('the champion and the webhooks in the console', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'stic-b-'));
  let postgres: Awaited<ReturnType<typeof EmbeddedPostgres.open>>;
  let running: RunningApp;
  let receiver: Server;
  let browser: Browser;
  let page: Page;
  let faults: string[];
  const runs = new Map<string, string>();

  beforeAll(async () => {
    Logger.overrideLogger(['error']);
    // Postgres, started by root, runs as another user and must get through.
    chmodSync(folder, 0o755);
    const state = path.join(folder, 'state');
    postgres = await EmbeddedPostgres.open({ state, binaries: undefined });
    const config = loadConfig({ STIC_STATE: state, STIC_HTTP_PORT: '0', STIC_GRPC_PORT: '0', STIC_WEBHOOKS_ALLOW_PRIVATE: '1' });
    const trainers = TrainerDirectory.fixed(['127.0.0.1:1']);
    [running, browser] = await Promise.all([startApp({ config, databaseUrl: postgres.url, trainers }), openBrowser()]);
    receiver = createServer((request, response) => response.writeHead(request.url === '/busy' ? 503 : 204).end());
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    ({ page, faults } = await openPage(browser, `http://127.0.0.1:${String(running.httpPort)}`));
  });

  afterAll(async () => {
    await browser.close();
    await running.app.close();
    receiver.close();
    await postgres.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function evaluated(name: string, cells: Compared[], requireApproval = false): Promise<void> {
    await running.app.get(DataSource).transaction(async (manager) => {
      const { run } = await gatedRun(manager, name, { requireApproval }, cells);
      await manager.query(`UPDATE run SET state = 'RUN_STATE_SUCCEEDED', ended_at = now() WHERE id = $1`, [run.id]);
      await decideGate(manager, run);
      runs.set(name, run.id);
    });
  }

  test('says what will appear where there is nothing yet', async () => {
    await page.goto('/champion');
    await see(page.getByRole('heading', { name: 'No champion yet' }));
    await page.getByRole('link', { name: 'Webhooks' }).click();
    await see(page.getByRole('heading', { name: 'No endpoints yet' }));
  });

  test('draws a verdict that keeps the champion, and says why', async () => {
    await evaluated('monday', better);
    await evaluated('tuesday', worse);
    await page.goto(`/runs/${runs.get('tuesday') ?? ''}`);
    const gate = page.getByRole('region', { name: 'Gate' });
    await see(page.getByText('Kept the champion of monday: textvqa accuracy -4.4 [-6.2, -2.6], more than the 1.0 allowed.'));
    await see(gate.getByText('Champion kept'));
    await see(gate.getByText(/on textvqa the candidate is worse than the champion by 4\.4 points/));
    const picture = gate.getByRole('img', { name: /Candidate against the champion of monday/ });
    await see(picture.getByText('allowed drop 1.0'));
    await see(picture.getByText('textvqa: too much worse'));
  });

  test('approves a candidate that waits, with a comment that the history keeps', async () => {
    await evaluated('wednesday', better, true);
    await page.getByRole('link', { name: 'Champion' }).click();
    const waiting = page.getByRole('region', { name: 'wednesday waits for approval' });
    await waiting.getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('dialog').getByLabel('Comment').fill('looks right');
    await page.getByRole('dialog').getByRole('button', { name: 'Approve and promote' }).click();
    await waiting.waitFor({ state: 'detached' });
    const champion = page.getByRole('region', { name: 'champion of /models/llava' });
    await see(champion.getByText('stage 1 of wednesday').first());
    await see(champion.getByRole('row').filter({ hasText: 'looks right' }).filter({ hasText: 'promoted' }));
    await see(champion.getByText('c0ffee000000'));
  });

  test('rolls back after asking', async () => {
    const champion = page.getByRole('region', { name: 'champion of /models/llava' });
    await champion.getByRole('button', { name: 'Roll back' }).click();
    await page.getByRole('dialog').getByLabel('Why').fill('worse in the field');
    await page.getByRole('dialog').getByRole('button', { name: 'Roll it back' }).click();
    await see(champion.getByRole('row').filter({ hasText: 'rolled back (move 2)' }).filter({ hasText: 'worse in the field' }));
    await see(champion.getByRole('link', { name: 'stage 1 of monday' }).first());
    await count(champion.getByRole('row'), 4);
  });

  test('adds an endpoint, shows its secret once, and tests it', async () => {
    const address = `http://127.0.0.1:${String((receiver.address() as AddressInfo).port)}`;
    await page.getByRole('link', { name: 'Webhooks' }).click();
    await page.getByRole('button', { name: 'Add an endpoint' }).click();
    await page.getByLabel('Address').fill('nonsense');
    await page.getByRole('button', { name: 'Add it' }).click();
    await see(page.getByText('is not an http or https address'));
    await page.getByLabel('Address').fill(`${address}/busy`);
    await page.getByRole('button', { name: 'Add it' }).click();
    await see(page.getByRole('dialog', { name: 'The signing secret' }).getByText(/^whsec_/));
    await page.getByRole('button', { name: 'I have kept it' }).click();
    await count(page.getByText(/whsec_/), 0);

    await page.getByRole('button', { name: 'Send a test' }).click();
    const row = page.getByRole('table', { name: 'Deliveries' }).getByRole('row').filter({ hasText: 'webhook.test' });
    await see(row.getByText('503'), 15_000);
    await row.getByRole('button', { name: 'Details' }).click();
    await see(page.getByText('"This is a test."'));
    await see(page.getByText(/^Next try/));
  });

  test('stores rules that are applied every night', async () => {
    await page.getByRole('link', { name: 'Checkpoints' }).click();
    await page.getByRole('link', { name: 'Make room' }).click();
    const nightly = page.getByRole('region', { name: 'Every night' });
    await see(nightly.getByText('Off: nothing is deleted by itself.'));
    await page.getByLabel('Younger than, days').fill('90');
    await nightly.getByRole('switch', { name: 'Apply these rules every night' }).check();
    await nightly.getByLabel('At hour').fill('5');
    await nightly.getByRole('button', { name: 'Store these rules' }).click();
    await see(nightly.getByText(/^The stored rules are applied next at /));
    await page.reload();
    await see(nightly.getByText(/^The stored rules are applied next at /));
    expect(await page.getByLabel('Younger than, days').inputValue()).toBe('90');
    await see(page.getByRole('region', { name: 'What has been deleted' }).getByText('Nothing yet.'));
  });

  test('has thrown nothing on the way', () => {
    expect(faults).toStrictEqual([]);
  });
});
