import type { Browser, Page } from 'playwright-core';
import { choose, count, fillSmall, loadedWidth, openBrowser, openPage, register, see, startRun } from './browser.js';
import { startProduct, type Product } from './product.js';

const small = {
  'Images to use': '10',
  'DPO epochs': '1',
  'Instruction rows to use': '4',
  'SFT epochs': '1',
  'Items per benchmark': '4',
  'Sample images': '2',
};

/** One product for all: the tests follow a person from an empty console to a finished run. */
describe('the console', () => {
  let product: Product;
  let browser: Browser;
  let page: Page;
  let faults: string[];
  let run: string;

  beforeAll(async () => {
    [product, browser] = await Promise.all([startProduct(), openBrowser()]);
    ({ page, faults } = await openPage(browser, product.url));
  });

  afterAll(async () => {
    await browser.close();
    await product.stop();
  });

  test('says what will appear where there is nothing yet', async () => {
    await page.goto('/');
    await see(page.getByRole('heading', { name: 'No runs yet' }));
    await page.getByRole('link', { name: 'Datasets' }).click();
    await see(page.getByRole('heading', { name: 'No datasets yet' }));
    await page.getByRole('link', { name: 'Checkpoints' }).click();
    await see(page.getByRole('heading', { name: 'No checkpoints yet' }));
    await page.getByRole('link', { name: 'Trainers' }).click();
    await see(page.getByText('Healthy'));
    await page.getByRole('link', { name: 'Start a run' }).click();
    await see(page.getByText('Nothing to train on yet'));
    expect(await page.getByRole('button', { name: 'Start the run' }).isDisabled()).toBe(true);
  });

  test('says what is wrong with a source that does not exist', async () => {
    await page.goto('/datasets/new');
    await page.getByLabel('Name').fill('nowhere');
    await page.getByPlaceholder('/data/...').fill('/no/such/folder');
    await page.getByRole('button', { name: 'Register and import' }).click();
    await see(page.getByRole('alert').filter({ hasText: '/no/such/folder' }), 30_000);
  });

  test('registers a folder of images and lists the files that are none', async () => {
    await register(page, 'images', 'holiday', product.world.brokenImages);
    await see(page.getByRole('tab', { name: 'Items (24)' }));
    await count(page.getByRole('list', { name: 'Images' }).getByRole('listitem'), 24);
    expect(await loadedWidth(page.getByRole('list', { name: 'Images' }).getByRole('img'))).toBeGreaterThan(0);
    await page.getByRole('tab', { name: 'Problems (3)' }).click();
    const problems = page.getByRole('table', { name: 'Problems' });
    for (const [file, code] of [
      ['cut.png', 'TRUNCATED'],
      ['empty.jpg', 'EMPTY_FILE'],
      ['letter.png', 'NOT_AN_IMAGE'],
    ] as const) {
      await see(problems.getByRole('row').filter({ hasText: file }).filter({ hasText: code }));
    }
  });

  test('shows what a run would do, and objects at the field', async () => {
    await register(page, 'images', 'pictures', product.world.images);
    await register(page, 'instructions', 'questions', product.world.instructions);
    await register(page, 'benchmark', 'descriptions', product.world.benchmark);
    await page.goto('/runs/new');
    await choose(page, 'Images', /^pictures/);
    const stages = page.getByRole('table', { name: 'Stages that will run' });
    // The trainer inspects the model and measures these rows for the first time.
    await see(stages.getByText('prefer', { exact: true }), 60_000);
    await count(stages.getByRole('row'), 3);
    await see(page.getByRole('table', { name: 'Estimate' }));
    await choose(page, 'Instructions', /^questions/);
    await see(stages.getByText('infuse', { exact: true }), 60_000);
    await count(stages.getByRole('row'), 6);
    await see(page.getByRole('table', { name: 'Differences from the paper' }).getByText('dpo.optimizer.learning_rate'));

    await see(page.getByText('from 1 to 65536 pairs or rows'));
    await page.getByLabel('DPO beta').fill('-1');
    await see(page.getByRole('alert').filter({ hasText: 'dpo.beta' }));
    expect(await page.getByRole('button', { name: 'Start the run' }).isDisabled()).toBe(true);
    await page.getByLabel('DPO beta').fill('1e-1');
    // Its text below the field goes too, which moves what stands under it.
    await page.getByRole('alert').filter({ hasText: 'dpo.beta' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Show the command and the JSON' }).click();
    await see(page.getByText('"max_images": 400'));
  });

  test('takes a gate, a priority and labels, each with its objection', async () => {
    const promotion = page.getByRole('region', { name: 'Promotion' });
    const placement = page.getByRole('region', { name: 'Placement' });
    await promotion.getByLabel('Promote the result when it is good enough').check({ force: true });
    await see(promotion.getByText('this run has none'));
    await choose(page, 'Benchmarks', /^descriptions/);
    await promotion.getByLabel('Worst drop allowed').fill('-1');
    await see(promotion.getByText('it must be a number from 0 to 100'));
    await promotion.getByLabel('Worst drop allowed').fill('2.5');
    await placement.getByLabel('Priority').fill('5000');
    await see(placement.getByText('priority must be at least -1000 and at most 1000'));
    await placement.getByLabel('Priority').fill('7');
    await placement.getByRole('combobox', { name: 'Labels' }).fill('tag=a100');
    await placement.getByRole('combobox', { name: 'Labels' }).press('Enter');
    await see(page.getByText('Would wait: no trainer has label tag=a100.'));
    // The address has it all.
    await page.waitForURL(/label=tag%3Da100/);
    await page.reload();
    await see(placement.getByText('tag=a100', { exact: true }));
    await see(page.getByText(/no benchmark is worse by more than 2\.5 points/));
    await page.getByRole('combobox', { name: 'Labels' }).press('Backspace');
    await count(page.getByText('Would wait'), 0);
    await page.getByRole('button', { name: 'Show the command and the JSON' }).click();
    await see(page.getByText('"priority": 7'));
  });

  test('starts a run that lives in the server, not in the page', async () => {
    await fillSmall(page, small);
    await page.getByRole('button', { name: 'All fields' }).click();
    // So short that some texts are cut off, which the trainer logs as a warning.
    await page.getByRole('region', { name: 'prefer' }).getByLabel('generation · max new tokens').fill('24');
    run = await startRun(page, 'first light');
    await see(page.getByRole('button', { name: /^Stage prefer/ }));
    await page.reload();
    await see(page.getByRole('heading', { level: 1, name: 'first light' }));
    await see(page.getByText(/ \u00b7 priority 7/));
    await see(page.getByRole('region', { name: 'Gate' }).getByText('The verdict will appear here'));
    await see(page.getByRole('button', { name: /^Stage dpo: succeeded/ }), 150_000);
    await page.reload();
    await page.getByRole('tab', { name: 'Logs' }).click();
    await page.getByText('Warnings and errors').click();
    await see(page.getByRole('log').getByRole('listitem').filter({ hasText: 'cut off at 24 tokens' }));
    await see(page.getByRole('button', { name: /^Stage evaluate: succeeded/ }), 240_000);
    await page.getByRole('link', { name: 'Runs', exact: true }).click();
    const row = page.getByRole('row').filter({ hasText: 'first light' });
    await see(row.getByText('100 %'));
    await see(row.getByText('Succeeded'));
  });

  test('compares base and trained model as a picture and a table, and shows the same images before and after', async () => {
    await page.goto(run);
    await see(page.getByRole('img', { name: /Differences to the base model/ }));
    const table = page.getByRole('table', { name: /^Comparison/ });
    for (const column of ['base plain', 'base DaR', 'stage 1 plain', 'stage 2 DaR']) {
      await see(table.getByRole('columnheader', { name: column }));
    }
    await see(page.getByRole('alert').filter({ hasText: 'planted' }));
    const sample = page.getByRole('article', { name: /^Descriptions of/ }).first();
    for (const subject of ['base', 'stage 1', 'stage 2']) await see(sample.getByText(subject, { exact: true }));
    expect(await loadedWidth(sample.getByRole('img'))).toBeGreaterThan(0);
  });

  test('draws the losses and margins', async () => {
    await page.getByRole('tab', { name: 'Metrics' }).click();
    for (const chart of ['Reward margin', 'Accuracy', 'Log-probabilities']) await see(page.getByRole('figure', { name: chart }));
    await see(page.getByRole('region', { name: 'Metrics of sft' }).getByRole('figure', { name: 'Loss' }));
  });

  test('shows a pair with what made its rejected text, the corrupted image included', async () => {
    await page.getByRole('tab', { name: 'Pairs' }).click();
    await see(page.getByRole('list', { name: 'Preference pairs' }).getByRole('listitem'));
    const corrupted = page.getByRole('listitem').filter({ hasText: /low resolution|color jitter/ });
    await corrupted.first().getByRole('link').click();
    await see(page.getByRole('region', { name: 'Chosen' }));
    await see(page.getByRole('region', { name: 'Rejected' }));
    const pair = page.url();

    const clean = await page.getByRole('article').getByRole('img').first().getAttribute('src');
    await page.keyboard.down('Space');
    const wrong = page.getByRole('img', { name: /corrupted: (low resolution|color jitter)/ });
    expect(await loadedWidth(wrong)).toBeGreaterThan(0);
    expect(await wrong.getAttribute('src')).not.toBe(clean);
    await page.keyboard.up('Space');
    await wrong.waitFor({ state: 'detached' });

    await page.keyboard.press(pair.endsWith('/0') ? 'j' : 'k');
    await page.waitForURL((url) => url.href !== pair);
    await page.goto(pair);
    await see(page.getByRole('region', { name: 'Chosen' }));
  });

  test('leads from a checkpoint back to the images', async () => {
    await page.getByRole('link', { name: 'Checkpoints' }).click();
    await page.getByRole('link', { name: 'stage 2 of first light' }).click();
    await see(page.getByText('PeftModel.from_pretrained(base,'));
    await see(page.getByRole('button', { name: /^dataset pictures/ }));
    await page.getByRole('button', { name: /^recipe/ }).click();
    await see(page.getByRole('region', { name: /^Facts of/ }).getByText('seed'));
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Download the adapter' }).click();
    expect((await download).suggestedFilename()).toMatch(/\.tar$/);
  });

  test('pauses and resumes a run, and cancels it after asking', async () => {
    await page.goto('/runs/new');
    await choose(page, 'Images', /^pictures/);
    await fillSmall(page, { 'DPO epochs': '200' });
    await startRun(page, 'too long');
    await page.getByRole('button', { name: 'Pause' }).click();
    await see(page.getByText('Paused', { exact: true }), 60_000);
    await page.reload();
    await page.getByRole('button', { name: 'Resume' }).click();
    await see(page.getByRole('button', { name: 'Pause' }));
    await page.getByRole('button', { name: 'Cancel run' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel the run' }).click();
    await see(page.getByText('Cancelled', { exact: true }), 60_000);
    await page.reload();
    await see(page.getByText('Cancelled', { exact: true }));
    await count(page.getByRole('button', { name: 'Cancel run' }), 0);
    // Wherever it was when it was paused: prefer takes seconds, dpo minutes.
    await see(page.getByRole('button', { name: /^Retry from (prefer|dpo)$/ }));
  });

  test('forks a run with a changed field, and says what was changed', async () => {
    await page.goto(run);
    await page.getByRole('link', { name: 'Fork', exact: true }).click();
    await see(page.getByText('in the same versions'));
    expect(await page.getByLabel('Priority').inputValue()).toBe('7');
    expect(await page.getByLabel('Worst drop allowed').inputValue()).toBe('2.5');
    await page.getByLabel('DPO beta').fill('0.2');
    await page.getByRole('button', { name: 'Start the run' }).click();
    await see(page.getByText(/Forked from first light: dpo.beta 0.1 → 0.2/));
    await see(page.getByText('linked from first light'), 30_000);
    await page.getByRole('button', { name: 'Cancel run' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel the run' }).click();
    await see(page.getByText('Cancelled', { exact: true }), 60_000);
  });

  test('says before it starts why a run would fail, and of a run which items were left out', async () => {
    await page.goto('/runs/new');
    await choose(page, 'Images', /^holiday/);
    await fillSmall(page, small);
    await see(page.getByRole('alert').filter({ hasText: '3 of 27 images' }), 60_000);
    expect(await page.getByRole('button', { name: 'Start the run' }).isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'All fields' }).click();
    await page.getByRole('region', { name: 'prefer' }).getByLabel('max skipped fraction').fill('0.2');
    await startRun(page, 'some broken');
    await page.getByRole('tab', { name: /^Skipped/ }).click();
    await see(page.getByRole('table', { name: 'Skipped items' }).getByText('letter.png'));
  });

  test('says when something does not exist', async () => {
    await page.goto('/runs/00000000-0000-0000-0000-000000000000');
    await see(page.getByRole('heading', { name: 'There is no such run' }));
    await page.goto('/somewhere');
    await see(page.getByRole('heading', { name: 'There is no such page' }));
  });

  test('has thrown nothing on the way', () => {
    expect(faults).toStrictEqual([]);
  });
});
