import { expect, first, test } from './fixtures.js';

test('an error that no boundary sees is told by the root, once, with its component stack', async ({ page, site }) => {
  await page.goto(`${site.origin}/react.html?case=uncaught`);
  await page.click('text=Break');
  const error = await first(site, 'frontend_error');
  expect(error).toMatchObject({
    message: 'the cart is gone',
    extra: { kind: 'react-uncaught', component_stack: expect.stringContaining('Fragile') },
  });
  await page.evaluate(() => window.logger.flush());
  expect(site.entries.filter(({ event_type }) => event_type === 'frontend_error')).toHaveLength(1);
});

test('an error that someone else\'s boundary caught is told too', async ({ page, site }) => {
  await page.goto(`${site.origin}/react.html?case=foreign`);
  await page.click('text=Break');
  await page.waitForSelector('text=A boundary of the page\'s own');
  const error = await first(site, 'frontend_error');
  expect(error).toMatchObject({ extra: { kind: 'react', component_stack: expect.stringContaining('Fragile') } });
});

test('what React mends by itself is told too', async ({ page, site }) => {
  await page.goto(`${site.origin}/react.html?case=hydrate`);
  await expect(page.getByText('of the page')).toBeVisible();
  const error = await first(site, 'frontend_error');
  expect(error).toMatchObject({ message: expect.stringContaining('#418'), extra: { kind: 'react-recoverable' } });
});

test('hooks: a stable action, the logger, and a run that lives as long as its component', async ({ page, site }) => {
  await page.goto(`${site.origin}/react.html?case=hooks`);
  await page.click('text=Order');
  const action = await first(site, 'user_action', ({ extra }) => extra?.['action'] === 'action');
  expect(action.extra).toMatchObject({ element: 'order', amount: 3 });
  const complete = await first(site, 'workflow_complete');
  expect(complete).toMatchObject({ context: { workflow_id: 'checkout' }, extra: { workflow_name: 'Checkout' } });
  expect(await page.textContent('#renders')).toBe('one run over 2 renders');
});

test('a page that hands in a fallback of its own gets the reference, retry and report', async ({ page, site }) => {
  await page.goto(`${site.origin}/react.html?case=fallback`);
  await page.click('text=Break');
  const reference = await page.textContent('#own-reference');
  const error = await first(site, 'frontend_error');
  expect(error.extra?.['reference']).toBe(reference);
  await page.click('text=Tell us');
  const report = await first(site, 'problem_report');
  expect(report).toMatchObject({ message: 'from a fallback', extra: { reference } });
  expect(report.context['trace_id']).toMatch(/^[0-9a-f]{32}$/);
});

test('a boundary whose key changes shows its children again', async ({ page, site }) => {
  await page.goto(`${site.origin}/react.html?case=keys`);
  await page.click('text=Break');
  await expect(page.getByRole('alert')).toContainText('Something went wrong');
  await page.click('text=Another customer');
  await expect(page.getByRole('button', { name: 'Break' })).toBeVisible();
  await expect(page.getByRole('alert')).toBeHidden();
});
