import { chromium, type Browser, type Locator, type Page } from 'playwright-core';
import { fail } from '../support/expect.js';

export async function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
}

/** A page that fails its test when the console throws. */
export async function openPage(browser: Browser, url: string): Promise<{ page: Page; faults: string[] }> {
  const page = await browser.newPage({ baseURL: url, viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(10_000);
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  return { page, faults };
}

/** Waits until it is on the page. */
export async function see(locator: Locator, timeout?: number): Promise<void> {
  await locator.first().waitFor({ state: 'visible', timeout });
}

/** Waits until there are so many of it: what a page fetches comes after the page. */
export async function count(locator: Locator, wanted: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if ((await locator.count()) === wanted) return;
    await locator.page().waitForTimeout(100);
  }
  expect(await locator.count()).toBe(wanted);
}

/** Waits until an image has really been loaded and says how wide it is. */
export async function loadedWidth(image: Locator): Promise<number> {
  await see(image);
  for (let tries = 0; tries < 50; tries++) {
    const width = await image.first().evaluate((element) => Number(Reflect.get(element, 'naturalWidth')));
    if (width > 0) return width;
    await image.page().waitForTimeout(100);
  }
  return fail(`The image ${String(await image.first().getAttribute('src'))} was not loaded.`);
}

/** Registers a dataset through the form and waits for its import. Leaves the page at the dataset. */
export async function register(page: Page, kind: 'images' | 'instructions' | 'benchmark', name: string, source: string): Promise<void> {
  await page.goto('/datasets/new');
  await page.getByRole('radiogroup', { name: 'Kind' }).getByText(kind, { exact: true }).click();
  await page.getByLabel('Name').fill(name);
  await page.getByPlaceholder('/data/...').fill(source);
  await page.getByRole('button', { name: 'Register and import' }).click();
  await see(page.getByRole('heading', { level: 1, name }));
  await see(page.getByText('Ready', { exact: true }), 60_000);
}

/** Chooses an option of a select by its label. */
export async function choose(page: Page, label: string, option: RegExp): Promise<void> {
  await page.getByRole('combobox', { name: label, exact: true }).click();
  await page.getByRole('option', { name: option }).click();
  await page.keyboard.press('Escape');
}

/** Fills the small sizes a test can wait for. */
export async function fillSmall(page: Page, fields: Record<string, string>): Promise<void> {
  for (const [label, value] of Object.entries(fields)) await page.getByLabel(label, { exact: true }).fill(value);
}

/** Presses the button and waits for the run's own page. Gives the run's address. */
export async function startRun(page: Page, name: string): Promise<string> {
  await page.getByLabel('Name', { exact: true }).fill(name);
  // Enabled once the server has said what the run would do.
  await page.getByRole('button', { name: 'Start the run' }).click({ timeout: 60_000 });
  await see(page.getByRole('heading', { level: 1, name }));
  return new URL(page.url()).pathname;
}
