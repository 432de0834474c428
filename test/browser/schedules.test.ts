import type { Browser, Page } from 'playwright-core';
import { choose, count, openBrowser, openPage, register, see } from './browser.js';
import { startProduct, type Product } from './product.js';

/** One product for all: the tests follow a person from no schedule to one that has fired, been paused and is gone. */
describe('schedules in the console', () => {
  let product: Product;
  let browser: Browser;
  let page: Page;
  let faults: string[];

  beforeAll(async () => {
    [product, browser] = await Promise.all([startProduct(), openBrowser()]);
    ({ page, faults } = await openPage(browser, product.url));
  });

  afterAll(async () => {
    await browser.close();
    await product.stop();
  });

  const nextFires = () => page.getByRole('table', { name: 'Next fires' });
  const past = () => page.getByRole('table', { name: 'Past fires and skips' });

  /** There are hundreds: one types. */
  const chooseZone = async (zone: string) => {
    await page.getByRole('combobox', { name: 'Time zone' }).fill(zone);
    await page.getByRole('option', { name: zone, exact: true }).click();
  };

  test('says what will appear, and shows when a form would fire while it is typed', async () => {
    await page.goto('/');
    await page.getByRole('link', { name: 'Schedules' }).click();
    await see(page.getByRole('heading', { name: 'No schedules yet' }));
    await page.getByRole('link', { name: 'Make a schedule' }).first().click();
    await chooseZone('America/New_York');
    await see(nextFires().getByRole('columnheader', { name: 'America/New_York' }));
    await see(nextFires().getByRole('cell', { name: '02:30', exact: true }));
    await count(nextFires().getByRole('row'), 21);
    await page.getByLabel('Cron expression').fill('0 25 * * *');
    await see(page.getByRole('alert').filter({ hasText: 'is not a cron expression' }));
    expect(await page.getByRole('button', { name: 'Make the schedule' }).isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'every night' }).click();
    await see(nextFires().getByRole('cell', { name: '02:30', exact: true }));
  });

  test('makes a schedule for new images, whose trigger does nothing when there are too few', async () => {
    await register(page, 'images', 'pictures', product.world.images);
    await page.getByRole('link', { name: 'Schedules' }).click();
    await page.getByRole('link', { name: 'Make a schedule' }).first().click();
    await page.getByRole('textbox', { name: 'Name', exact: true }).fill('nightly');
    await chooseZone('Europe/Paris');
    await choose(page, 'Images', /^pictures/);
    await page.getByLabel(/^Only images added/).check();
    await page.getByLabel('At least so many new images').fill('500');
    await choose(page, 'Start from', /promoted/);
    await page.getByLabel('Priority').fill('3');
    await page.getByRole('combobox', { name: 'Labels' }).fill('tag=a100');
    await page.getByRole('combobox', { name: 'Labels' }).press('Enter');
    const promote = page.getByLabel('Promote the result when it is good enough');
    await promote.check({ force: true });
    await page.getByRole('button', { name: 'Make the schedule' }).click();
    await see(page.getByRole('region', { name: 'Promotion' }).getByText('this run has none'));
    await promote.uncheck({ force: true });
    await page.getByRole('button', { name: 'Make the schedule' }).click();
    await see(page.getByRole('heading', { level: 1, name: 'nightly' }), 60_000);
    await see(page.getByRole('region', { name: 'Settings' }).getByText('tag=a100'));
    await see(page.getByText('those added since the last success, at least 500'));
    await see(nextFires().getByRole('cell', { name: '02:30', exact: true }));
    await page.getByRole('button', { name: 'Trigger now' }).click();
    const row = past().getByRole('row').filter({ hasText: 'Skipped' });
    await see(row.filter({ hasText: '24 images have been added to "pictures" so far; this schedule asks for at least 500.' }), 20_000);
  });

  test('back-fills the last nights', async () => {
    const day = 86_400_000;
    const moment = (ago: number) => new Date(Date.now() - ago).toISOString().slice(0, 16);
    await page.getByRole('button', { name: 'Back-fill' }).click();
    const dialog = page.getByRole('dialog', { name: 'Back-fill a past interval' });
    await dialog.getByLabel('From').fill(moment(3 * day));
    await dialog.getByLabel('Until').fill(moment(0));
    await dialog.getByRole('button', { name: 'Back-fill' }).click();
    await see(dialog.getByRole('status').filter({ hasText: /\d times will fire/ }));
    await dialog.getByText('Close').click();
    const rows = past().getByRole('row').filter({ hasText: 'back-filled' }).filter({ hasText: 'asks for at least 500' });
    await see(rows.nth(1), 20_000);
  });

  test('edits it, triggers a run, and says what became of that', async () => {
    await page.getByRole('link', { name: 'Edit' }).click();
    await see(page.getByText('tag=a100', { exact: true }));
    expect(await page.getByLabel('Priority').inputValue()).toBe('3');
    expect(await page.getByRole('combobox', { name: 'Checkpoint' }).inputValue()).toBe('champion');
    await page.getByLabel(/^Only images added/).uncheck();
    await page.getByLabel(/^Import the images/).uncheck();
    await page.getByRole('button', { name: 'Save the schedule' }).click();
    await see(page.getByRole('button', { name: 'Trigger now' }));
    await page.getByRole('button', { name: 'Trigger now' }).click();
    await past().getByRole('link', { name: 'Open run' }).click();
    await see(page.getByRole('heading', { level: 1, name: /^nightly \d{4}-\d\d-\d\d \d\d:\d\d$/ }));
    await see(page.getByText(/priority 3 . needs tag=a100/));
    await see(page.getByText('Waiting: no trainer has label tag=a100'));
    await page.getByRole('button', { name: 'Cancel run' }).click();
    await page.getByRole('button', { name: 'Cancel the run' }).click();
    await page.getByRole('link', { name: 'nightly', exact: true }).click();
    await see(page.getByRole('button', { name: 'Trigger now' }));
    await page.getByRole('link', { name: 'Schedules' }).click();
    const row = page.getByRole('table', { name: 'Schedules' }).getByRole('row').filter({ hasText: 'nightly' });
    await see(row.filter({ hasText: /Cancelled( in \w+)?: nothing was compared/ }), 30_000);
    await see(row.getByText('Active'));
  });

  test('pauses, resumes and deletes it', async () => {
    await page.getByRole('link', { name: 'nightly' }).click();
    await page.getByRole('button', { name: 'Pause' }).click();
    await see(page.getByRole('status').filter({ hasText: 'Times that pass are noted as skipped' }));
    await page.getByRole('link', { name: 'Schedules' }).click();
    await see(page.getByRole('row').filter({ hasText: 'nightly' }).filter({ hasText: 'none while paused' }));
    await page.getByRole('link', { name: 'nightly' }).click();
    await page.getByRole('button', { name: 'Resume' }).click();
    await see(page.getByRole('button', { name: 'Pause' }));
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('button', { name: 'Delete the schedule' }).click();
    await see(page.getByRole('heading', { name: 'No schedules yet' }));
    expect(faults).toStrictEqual([]);
  });
});
