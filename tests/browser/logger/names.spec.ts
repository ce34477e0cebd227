/** What a click is called, and what makes it a dead one. */
import { expect, seen, test } from './fixtures.js';

test('an element\'s name is what the page gave it, before what the person reads', async ({ open, site }) => {
  const page = await open();
  const wanted: [html: string, name: string][] = [
    ['<button data-track="buy" data-testid="t" id="b">Text</button>', 'buy'],
    ['<button data-testid="checkout" id="b">Text</button>', 'button[checkout]'],
    ['<button id="pay" aria-label="Pay now">Text</button>', 'button#pay'],
    // Ids that a framework makes up change with every render or release.
    ['<button id=":r1:" aria-label="Pay now">Text</button>', 'button Pay now'],
    ['<button id="radix-37" aria-label="Pay later">Text</button>', 'button Pay later'],
    ['<input type="button" name="agree" value="x">', 'input agree'],
    ['<button title="Close it"></button>', 'button Close it'],
    [`<button>  Two\n words ${'x'.repeat(100)}</button>`, `button Two words ${'x'.repeat(50)}`],
    ['<div data-private><button role="switch">Jane Doe</button></div>', 'button[switch]'],
    ['<a href="#there"><b>Inside</b></a>', 'a Inside'],
    ['<textarea>what I typed</textarea>', 'textarea'],
  ];
  await page.evaluate((htmls) => {
    const policy = (window as never as { trustedTypes?: { createPolicy: (name: string, rules: object) => { createHTML: (html: string) => string } } }).trustedTypes?.createPolicy('test', { createHTML: (html: string) => html });
    for (const html of htmls) {
      const box = document.createElement('div');
      box.innerHTML = policy?.createHTML(html) ?? html;
      document.body.append(box);
      // The innermost element, as a finger hits it.
      const all = box.querySelectorAll<HTMLElement>('*');
      all[all.length - 1]?.click();
      box.remove();
    }
  }, wanted.map(([html]) => html));
  const clicks = await seen(site, ({ extra }) => extra?.['action'] === 'click', wanted.length);
  expect(clicks.map(({ extra }) => extra?.['element'])).toEqual(wanted.map(([, name]) => name));
  expect(JSON.stringify(site.entries)).not.toMatch(/Jane|what I typed/);
});

test('nothing that does not invite a click is one', async ({ open, site }) => {
  const page = await open();
  await page.click('h1');
  await page.click('#save');
  await seen(site, ({ extra }) => extra?.['element'] === 'button#save');
  expect(site.entries.filter(({ extra }) => extra?.['action'] === 'click')).toHaveLength(1);
});

test('a click that requests something or leads elsewhere is not dead, even if the page looks the same', async ({ open, site }) => {
  const page = await open();
  // Never answered: what a click asked for may take longer than the click is watched.
  await page.route('**/api/late', () => undefined);
  await page.evaluate(() => {
    const button = (name: string, act: () => void): void => {
      const made = document.createElement('button');
      made.dataset['track'] = name;
      made.onclick = act;
      document.body.append(made);
    };
    button('leads', () => history.pushState({}, '', '/elsewhere'));
    button('asks', () => void fetch('/api/asks'));
    button('waits', () => void fetch('/api/late'));
    button('shows', () => (new Image().src = '/api/picture'));
    button('dead 1', () => undefined);
    button('dead 2', () => undefined);
    button('dead 3', () => undefined);
    button('dead 4', () => undefined);
  });
  const dead = (): Promise<unknown[]> =>
    seen(site, ({ extra }) => extra?.['action'] === 'dead_click').then((entries) => entries.map(({ extra }) => extra?.['element']));
  // A click is judged some time after it: one that was made later and is dead says that the earlier was judged.
  await page.click('[data-track=leads]');
  await page.click('[data-track="dead 1"]');
  await expect.poll(dead).toEqual(['dead 1']);
  await page.click('[data-track=asks]');
  const asked = (): Promise<boolean> => page.evaluate(() => performance.getEntriesByType('resource').some(({ name }) => name.endsWith('/api/asks')));
  await expect.poll(asked).toBe(true);
  await page.click('[data-track="dead 2"]');
  await expect.poll(dead).toEqual(['dead 1', 'dead 2']);
  await page.click('[data-track=waits]');
  await page.click('[data-track="dead 3"]');
  await expect.poll(dead).toEqual(['dead 1', 'dead 2', 'dead 3']);
  await page.click('[data-track=shows]');
  await expect.poll(() => page.evaluate(() => performance.getEntriesByType('resource').some(({ name }) => name.endsWith('/api/picture')))).toBe(true);
  await page.click('[data-track="dead 4"]');
  await expect.poll(dead).toEqual(['dead 1', 'dead 2', 'dead 3', 'dead 4']);
});

test('a router that keeps its routes behind a # is followed, an anchor within the page is none', async ({ open, site }) => {
  const page = await open();
  await page.evaluate(async () => {
    const moved = (hash: string): Promise<unknown> =>
      new Promise((done) => {
        addEventListener('hashchange', done, { once: true });
        location.hash = hash;
      });
    await moved('#chapter-2');
    await moved('#/orders/7?tab=x');
    await moved('#/orders/8');
  });
  const told = await seen(site, ({ event_type }) => event_type === 'navigation', 3);
  expect(told.map(({ extra }) => [extra?.['kind'], extra?.['to']])).toEqual([
    ['load', '/start'],
    ['pop', '/start#/orders/7'],
    ['pop', '/start#/orders/8'],
  ]);
});
